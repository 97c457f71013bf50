from .profile import classification_json as classification_json
from .profile import profile_csv as profile_csv
from .profile import profile_html as profile_html
from .profile import profile_json as profile_json
from .table_export import export as export
from .weekly import report_of_store as report_of_store
from .weekly_page import report_html as report_html
