"""The desk: the same functions as the commands, in a browser on the user's own machine.

`serving` runs it, `security` decides who may ask what, `spool` and `upload_jobs` take uploads,
`scan_jobs` scans them into the database; `api`, `items_api` and `scan_api` answer
programs, `pages` and `downloads` people; `page_cache` keeps pages until the database changes.
Alone in using FastAPI and uvicorn, which the extra ``web`` brings.
"""
