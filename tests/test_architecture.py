"""Imports point down, every heavy library has one owner, and help loads none of them."""

from __future__ import annotations

import ast
import functools
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import trendscope
from tests.factories.populations import fill

PACKAGE = Path(trendscope.__file__).parent

LAYERS = [
    {"__main__"},
    {"cli"},
    {"web"},
    {"reports"},
    {"recommend"},
    {"ingest", "trends"},
    {"store"},
    {"photos"},
    {"feeds"},
    {"catalog"},
    {"vision"},
    {"files"},
    {"proportions"},
    {"categories", "limits"},
    {"errors", "skipped", "text", "weeks"},
    {"__init__"},
]
"""From the top down; a module imports only from layers below its own package's."""

OWNERS = {
    "jax": {"vision"},
    "flax": {"vision"},
    "safetensors": {"vision"},
    "cv2": {"vision"},
    "PIL": {"vision"},
    "pillow_heif": {"vision"},
    "sqlalchemy": {"store"},
    "ray": {"photos"},
    "fsspec": {"files"},
    "s3fs": set(),
    "botocore": set(),
    "psycopg": {"store"},
    "typer": {"cli"},
    "rich": {"reports"},
    "jinja2": {"reports"},
    "vl_convert": {"reports"},
    "fastapi": {"web"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "pyarrow": {"reports"},
    "optax": set(),
    "scipy": set(),
    "orbax": set(),
    "tensorflow": set(),
    "tensorflow_datasets": set(),
    "training": set(),
}

MAY_NOT_LOAD = (
    "jax",
    "flax",
    "numpy",
    "pandas",
    "cv2",
    "PIL",
    "rich",
    "jinja2",
    "sqlalchemy",
    "vl_convert",
)


def room(path):
    """The module a file belongs to: feeds/archive.py to feeds."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@functools.cache
def nodes_of(source):
    """Every node of a source's syntax tree; most modules are looked at by many tests."""
    return [*ast.walk(ast.parse(source))]


def imports(source):
    """Every module that a source names in an import, also inside functions and TYPE_CHECKING."""
    for node in nodes_of(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide the layer"
            yield node.module
            if node.module == "trendscope":
                yield from (f"trendscope.{alias.name}" for alias in node.names)


def rooms_imported(source):
    names = (name.split(".") for name in imports(source))
    modules = {parts[1] for parts in names if parts[0] == "trendscope" and len(parts) > 1}
    return {name for name in modules if name in {room for layer in LAYERS for room in layer}}


def upward(name, source):
    """The modules that `name` imports from its own layer or one above."""
    depth = next(i for i, layer in enumerate(LAYERS) if name in layer)
    allowed = set().union(*LAYERS[depth + 1 :]) | {name}
    return rooms_imported(source) - allowed


FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}


def wrong(check):
    """What a check of a module's path and text gives, by module, wherever it gives anything."""
    results = {name: check(path, path.read_text()) for name, path in MODULES.items()}
    return {name: result for name, result in results.items() if result}


def test_every_module_has_its_layer():
    assert {room(path) for path in FILES} == set().union(*LAYERS)


def test_imports_point_down():
    assert wrong(lambda path, source: upward(room(path), source)) == {}


def modules_imported(source):
    """The modules that a source imports; `from package import module` imports the module."""
    names = set()
    for node in nodes_of(source):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            full = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in full.values()}
    return names & set(MODULES)


def circles(graph):
    """The groups of modules in which each imports the others, directly or by way of others."""

    def reached(start):
        modules_below, rest = set(), [start]
        while rest:
            new = graph[rest.pop()] - modules_below
            modules_below |= new
            rest += new
        return modules_below

    below = {name: reached(name) for name in graph}
    return [
        {name, *(x for x in below[name] if name in below[x])}
        for name in graph
        if name in below[name]
    ]


def test_no_module_imports_itself_by_way_of_others():
    assert (
        circles({name: modules_imported(path.read_text()) for name, path in MODULES.items()}) == []
    )


def test_the_check_of_circles_can_fail():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [{"b", "c"}, {"b", "c"}]


def test_few_modules_lie_beside_the_packages():
    assert len([path for path in FILES if path.parent == PACKAGE]) <= 10


def test_no_module_bears_the_name_of_a_function_that_its_package_exports():
    for package in {path.parent for path in FILES} - {PACKAGE}:
        face = importlib.import_module(f"trendscope.{package.name}")
        exported = set(getattr(face, "__all__", ()))
        assert exported & {path.stem for path in package.glob("*.py")} == set(), package.name
    assert {*trendscope.__all__} & {path.stem for path in PACKAGE.iterdir()} == set()


def test_modules_are_of_bounded_length():
    assert wrong(lambda path, source: source.splitlines()[450:]) == {}


def strangers(path, source):
    """The heavy libraries that a module imports though another package owns them."""
    tops = {name.split(".")[0] for name in imports(source)}
    return {top for top in tops if top in OWNERS and room(path) not in OWNERS[top]}


def test_heavy_libraries_have_one_owner():
    assert wrong(strangers) == {}


def test_the_layer_check_can_fail():
    assert upward("reports", "from trendscope.cli import app") == {"cli"}
    assert upward("photos", "from trendscope import store") == {"store"}
    assert upward("vision", "def f():\n    import trendscope.feeds.post") == {"feeds"}
    assert upward("photos", "from trendscope import vision") == set()


def prints_or_exits(path, source):
    calls = (node.func for node in nodes_of(source) if isinstance(node, ast.Call))
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    return room(path) != "cli" and names & {"print", "exit", "quit"}


def test_only_the_command_line_prints_and_exits():
    assert wrong(prints_or_exits) == {}


QUOTED = "trendscope.files.cells.quoted"


def imports_of_names(path):
    froms = (node for node in nodes_of(path.read_text()) if isinstance(node, ast.ImportFrom))
    return {f"{node.module}.{alias.name}" for node in froms for alias in node.names}


def writes_csv(source):
    nodes = nodes_of(source)
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    if "csv" in imports(source):
        from_csv = (n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "csv")
        names |= {alias.name for node in from_csv for alias in node.names}
        return bool(names & {"to_csv", "writer", "DictWriter"})
    return "to_csv" in names


def test_cells_of_csv_are_quoted_and_defused_in_one_place():
    assert not {name for name, path in MODULES.items() if writes_csv(path.read_text())}
    quoting = {name for name, path in MODULES.items() if QUOTED in imports_of_names(path)}
    assert quoting == {"trendscope.reports.spreadsheets"}


@pytest.mark.parametrize(
    "source",
    [
        "import csv\ncsv.writer(file)",
        "from csv import DictWriter",
        "def f(table):\n    return table.to_csv()",
    ],
)
def test_the_check_of_csv_can_fail(source):
    assert writes_csv(source)


def long_functions(path, source):
    """The functions of a module whose bodies, without their docstrings, have over 40 lines."""
    for node in nodes_of(source):
        if isinstance(node, ast.FunctionDef):
            body = [
                statement
                for statement in node.body
                if not isinstance(getattr(statement, "value", None), ast.Constant)
            ]
            if body and body[-1].end_lineno - body[0].lineno >= 40:
                yield node.name


def test_functions_are_short():
    assert wrong(lambda path, source: [*long_functions(path, source)]) == {}


# --- what is loaded ------------------------------------------------------------------------------


def loaded(code):
    """The libraries of MAY_NOT_LOAD that a fresh process has loaded after `code`."""
    report = f"import sys; print(*[m for m in {MAY_NOT_LOAD} if m in sys.modules])"
    program = f"try:\n    {code}\nexcept SystemExit:\n    pass\n{report}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1].split()


RUN = "from trendscope.cli import app; app({})"


@pytest.mark.parametrize(
    "code",
    [
        "import trendscope",
        *(RUN.format(a) for a in (["--help"], ["--version"], ["profile", "-h"], ["trends", "-h"])),
        RUN.format(["report", "-h"]),
        RUN.format(["recommend", "-h"]),
    ],
)
def test_help_loads_nothing_heavy(code):
    assert loaded(code) == []


def test_that_check_can_fail():
    assert "PIL" in loaded("import trendscope.vision.pillow")


def test_what_needs_no_database_does_not_load_sqlalchemy():
    assert "sqlalchemy" not in loaded(
        "import trendscope.reports.terminal, trendscope.photos.pipeline"
    )


COMMANDS = """
    from trendscope.cli import app
    for words in {}:
        try: app(words)
        except SystemExit as done: assert not done.code, (words, done.code)"""


def test_no_jax_is_loaded_where_the_network_does_not_look(tmp_path):
    """By no module of reports, scans and catalogues, and by no command on what is counted."""
    path, db = tmp_path / "weekly.csv", str(tmp_path / "few.db")
    path.write_text("week,category,count,total\n2026-W01,Bag,3,10\n")
    fill(db, 3, length=2)
    commands = [
        ["trends", "--from-csv", str(path), "--html", str(tmp_path / "page.html")],
        ["trends", "--db", db],
        ["export", "--db", db, str(tmp_path / "tables")],
        ["report", "--db", db, "-o", str(tmp_path / "report.html"), "--as-of", "2026-11-21"],
    ]
    libraries = loaded(
        "import trendscope.reports.profile, trendscope.reports.terminal, trendscope.photos.pipeline"
        ", trendscope.ingest.catalog, trendscope.store.profile"
        ", trendscope.recommend.campaigns, trendscope.reports.targets" + COMMANDS.format(commands)
    )
    assert "jax" not in libraries and {"sqlalchemy", "pandas", "jinja2"} <= {*libraries}


def test_public_names_are_there_and_unknown_ones_are_not():
    for name in trendscope.__all__:
        assert getattr(trendscope, name) is not None
    assert set(trendscope.__all__) <= set(dir(trendscope))
    with pytest.raises(AttributeError, match="no attribute 'clasify'"):
        _ = trendscope.clasify
