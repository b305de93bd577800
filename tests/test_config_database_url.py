"""Where Postgres is."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from hydra_notify.config import database_url, without_password
from hydra_notify.errors import ConfigError, Problem


def refused(configured: str | None, environ: dict[str, str] | None = None) -> Problem:
    with pytest.raises(ConfigError) as caught:
        database_url(configured, environ or {})
    (problem,) = caught.value.problems
    assert caught.value.__cause__ is None
    return problem


def dbi(settings: str) -> dict[str, object]:
    """What libpq makes of the URL made of `dbi:Pg:` and `settings`."""
    return dict(
        conninfo_to_dict(database_url(None, {"HYDRA_DBI": f"dbi:Pg:{settings}"}))
    )


def test_hydras_own_default_comes_last() -> None:
    assert database_url(None, {}) == "postgresql:///hydra"


def test_the_file_comes_before_the_environment() -> None:
    environ = {"HYDRA_DATABASE_URL": "postgresql:///env"}
    assert database_url("postgresql:///file", environ) == "postgresql:///file"


def test_the_url_comes_before_dbi() -> None:
    environ = {
        "HYDRA_DATABASE_URL": "postgres:///url",
        "HYDRA_DBI": "dbi:Pg:dbname=dbi",
        "PGDATABASE": "pg",
    }
    assert database_url(None, environ) == "postgres:///url"


def test_dbi_comes_before_libpqs_variables() -> None:
    environ = {"HYDRA_DBI": "dbi:Pg:dbname=dbi", "PGDATABASE": "pg"}
    assert database_url(None, environ) == "postgresql:///dbi"


@pytest.mark.parametrize("name", ["PGDATABASE", "PGSERVICE"])
def test_libpq_names_the_database_where_its_variables_do(name: str) -> None:
    assert database_url(None, {name: "other"}) == "postgresql://"


def test_libpqs_other_variables_leave_the_database_to_hydra() -> None:
    environ = {"PGHOST": "ci", "PGUSER": "hydra", "PGPORT": "5433"}
    assert database_url(None, environ) == "postgresql:///hydra"


def test_what_is_empty_was_not_said() -> None:
    environ = {"HYDRA_DATABASE_URL": "", "HYDRA_DBI": "", "PGDATABASE": ""}
    assert database_url("", environ) == "postgresql:///hydra"


@pytest.mark.parametrize(
    "url",
    [
        "postgres:///hydra",
        "postgresql://hydra:pass@%2Frun%2Fpostgresql/hydra?application_name=n",
        "postgresql://one:5432,two:5433/hydra?target_session_attrs=read-write",
    ],
)
def test_urls_of_postgres_stay_as_they_are(url: str) -> None:
    assert database_url(url, {}) == url
    assert database_url(None, {"HYDRA_DATABASE_URL": url}) == url


def test_a_dbi_string_may_stand_in_the_file() -> None:
    assert database_url("dbi:Pg:dbname=hydra", {}) == "postgresql:///hydra"


@pytest.mark.parametrize(
    ("settings", "meaning"),
    [
        ("", {}),
        ("dbname=hydra", {"dbname": "hydra"}),
        ("db=hydra", {"dbname": "hydra"}),
        ("database=hydra;", {"dbname": "hydra"}),
        (";dbname = hydra ; user = u ", {"dbname": "hydra", "user": "u"}),
        ("dbname=hydra user=u", {"dbname": "hydra", "user": "u"}),
        ("user=u", {"user": "u"}),
        ("host=::1;port=5433", {"host": "::1", "port": "5433"}),
        ("host=a,b;port=1,2", {"host": "a,b", "port": "1,2"}),
        ("dbname=a/b?c#d%20&e", {"dbname": "a/b?c#d%20&e"}),
        ("user=a@b:c", {"user": "a@b:c"}),
        ("password=p@ss/w%rd&x=y", {"password": "p@ss/w%rd&x=y"}),
        ("password='a b;c'", {"password": "a b;c"}),
        (r"password='it\'s \\'", {"password": "it's \\"}),
        (r"password=a\\b", {"password": r"a\b"}),
        (
            "dbname=hydra;host=/run/postgresql;application_name=hydra-notify",
            {
                "dbname": "hydra",
                "host": "/run/postgresql",
                "application_name": "hydra-notify",
            },
        ),
        ("application_name=ä", {"application_name": "ä"}),
    ],
)
def test_libpq_reads_in_the_url_what_the_dbi_string_said(
    settings: str, meaning: dict[str, str]
) -> None:
    assert dbi(settings) == meaning


def test_the_case_of_dbi_does_not_matter() -> None:
    assert database_url("DBI:PG:dbname=hydra", {}) == "postgresql:///hydra"


def test_another_driver_is_refused_by_name() -> None:
    assert refused(None, {"HYDRA_DBI": "dbi:SQLite:hunter2"}) == Problem(
        "$HYDRA_DBI",
        "is for DBI's driver SQLite, not for Pg",
        "write a URL such as postgresql:///hydra",
    )


@pytest.mark.parametrize("scheme", ["mysql", "POSTGRES", "postgresql+psycopg"])
def test_another_scheme_is_refused_by_name(scheme: str) -> None:
    environ = {"HYDRA_DATABASE_URL": f"{scheme}://u:hunter2@h/d"}
    assert refused(None, environ) == Problem(
        "$HYDRA_DATABASE_URL",
        f"begins with {scheme}://, not with postgresql://",
        "write a URL such as postgresql:///hydra",
    )


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "hydra:hunter2@host/db",
        "host=h password=hunter2",
        "postgres:hunter2",
        "postgresql://u:hunter2@[h/d",
        "postgresql://u:hunter2\u2100@h/d",
    ],
)
def test_what_is_no_url_is_refused_without_being_repeated(text: str) -> None:
    assert refused(text) == Problem(
        "database.url", "is not a URL", "write a URL such as postgresql:///hydra"
    )


@pytest.mark.parametrize(
    "settings", ["hunter2", "dbname=x;hunter2", "password='hunter2", "=hunter2"]
)
def test_a_dbi_string_that_cannot_be_read_is_not_repeated(settings: str) -> None:
    assert refused(None, {"HYDRA_DBI": f"dbi:Pg:{settings}"}) == Problem(
        "$HYDRA_DBI",
        "is not a list of key=value",
        "write it as dbi:Pg:dbname=hydra;host=localhost;user=hydra",
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql:///hydra", "postgresql:///hydra"),
        ("postgresql://u@h:5432/d", "postgresql://u@h:5432/d"),
        ("postgresql://u:hunter2@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u:hunter2@x/y@h/d", "postgresql://u:***@h/d"),
        ("postgresql://:hunter2@h/d", "postgresql://:***@h/d"),
        (
            "postgresql:///d?password=hunter2&user=u",
            "postgresql:///d?password=***&user=u",
        ),
        (
            "postgresql:///d?user=u&sslpassword=hunter2",
            "postgresql:///d?user=u&sslpassword=***",
        ),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
