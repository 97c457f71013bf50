"""Bytes wherever they lie: folders, zips and object stores; tables; atomic writing.

`trees` names what lies in a folder, `zips` what lies in an archive and `remote` what lies in an
object store; `formats` recognises pictures by their first bytes, `tables` reads CSV files and
`writing` replaces files in one step.
"""
