"""What an event says: Hydra's RunCommand document, and more.

The members of `BuildDocument` up to `metrics` are those of the JSON file that Hydra
hands to RunCommand commands, under the same names, so that such a command works on
`data` unchanged. Times are seconds since 1970. Missing values are null; parts that
nobody asked for are absent.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from hydra_notify_sdk.wire.words import BuildStatus

Part = Literal["dependents", "evals", "previousBuild", "errorMsg"]
"""A heavy part of the data, sent only to plugins that name it in `include`:
`dependents` in full (their ids always come), `evals` with their inputs,
`previousBuild`, and the `errorMsg` of a jobset (evaluations: up to megabytes)."""


class Output(Struct, rename="camel"):
    """An output of a derivation; `path` is null while a content address is unknown."""

    name: str
    path: str | None


class Product(Struct, rename="camel", kw_only=True):
    """A file or directory offered for download. `file_size` is bytes."""

    product_nr: int
    type: str
    subtype: str
    file_size: int | None
    sha256hash: str | None
    path: str | None
    name: str
    default_path: str | None


class Metric(Struct, rename="camel"):
    """A number the build measured; null where JSON has no number for it (NaN)."""

    name: str
    unit: str | None
    value: float | None


class Owner(Struct, rename="camel", kw_only=True):
    """The user a project belongs to."""

    name: str
    full_name: str | None
    email: str
    email_on_error: bool


class Project(Struct, rename="camel", kw_only=True):
    """A project; `declfile` is set where its jobsets are declared in a repository."""

    name: str
    display_name: str
    declfile: str | None
    enable_dynamic_run_command: bool
    owner: Owner | None


class Jobset(Struct, rename="camel", kw_only=True, omit_defaults=True):
    """A jobset. `type` is 0 for expressions, 1 for flakes."""

    id: int
    project: str
    name: str
    description: str | None
    enable_email: bool
    email_override: str
    type: int
    flake: str | None
    enable_dynamic_run_command: bool
    error_msg: str | UnsetType | None = UNSET


class EvalInput(Struct, rename="camel", kw_only=True):
    """An input of an evaluation.

    `email_responsible` is null when the jobset no longer has an input of that name;
    `short_rev` is `revision` as Hydra shows it.
    """

    name: str
    altnr: int
    type: str
    uri: str | None
    revision: str | None
    short_rev: str | None
    value: str | None
    dependency: int | None
    path: str | None
    sha256hash: str | None
    email_responsible: bool | None


class Eval(Struct, rename="camel", kw_only=True):
    """An evaluation of a jobset; `flake` is the locked reference.

    Its `inputs` come with the part `evals`; an evaluation that found nothing new
    (`has_new_builds` false) has none.
    """

    id: int
    timestamp: int
    checkout_time: int
    eval_time: int
    has_new_builds: bool
    flake: str | None
    inputs: list[EvalInput] = []


class PreviousBuild(Struct, rename="camel", kw_only=True):
    """The build of the same job and system before this one that ran to an end.

    `eval` is its first evaluation, for lists of changes: only where the part `evals` is
    asked for too, and not in `dependents`.
    """

    id: int
    build_status: BuildStatus | None
    eval: Eval | None = None


class Step(Struct, rename="camel", kw_only=True):
    """A step of a build: `type` 0 built, 1 substituted.

    `log_path` is an absolute path on Hydra's machine; the file may be compressed or
    gone.
    """

    build: int
    stepnr: int
    type: int
    drv_path: str | None
    status: int | None
    error_msg: str | None
    start_time: int | None
    stop_time: int | None
    machine: str
    system: str | None
    propagated_from: int | None
    resolved_drv_path: str | None
    outputs: list[Output]
    log_path: str | None


class BuildDocument(Struct, rename="camel", kw_only=True):
    """A build. `build_status` is Hydra's number, 0 for success, null until finished.

    `maintainers` are addresses; `size` and `closure_size` are bytes.
    """

    build: int
    finished: bool
    timestamp: int
    project: str
    jobset: str
    job: str
    drv_path: str
    start_time: int | None
    stop_time: int | None
    build_status: BuildStatus | None
    nix_name: str | None
    system: str
    homepage: str | None
    description: str | None
    license: str | None
    outputs: list[Output]
    products: list[Product]
    metrics: list[Metric]
    release_name: str | None
    is_cached_build: bool
    is_current: bool
    priority: int
    size: int | None
    closure_size: int | None
    maintainers: list[str]
    url: str
    previous_build: PreviousBuild | UnsetType | None = UNSET


class BuildEventData(BuildDocument, rename="camel", kw_only=True):
    """The data of every build and step event.

    Attributes:
        event: Hydra's name of the hook, such as `buildFinished`.
        jobset_info: The jobset (`jobset` is its name alone).
        project_info: The project (`project` is its name alone).
        dependent_ids: Builds that finished with this one, without itself.
        dependents: The same in full.
        dependent_jobsets: With `dependents`, their jobsets other than the build's own,
            if there are any; without `errorMsg`.
        evals: The evaluations this build is part of, oldest first; of a `cached_*`
            event only the one it is about.
        eval: The evaluation a `cached_*` event is about, without inputs; null when it
            is gone.
        step: The step a `step_finished` is about.
        truncated: Members cut for their length, such as `dependents`, `evals.inputs`
            or `jobsetInfo.errorMsg`.
    """

    event: str
    jobset_info: Jobset
    project_info: Project
    dependent_ids: list[int] | UnsetType = UNSET
    dependents: list[BuildDocument] | UnsetType = UNSET
    dependent_jobsets: list[Jobset] | UnsetType = UNSET
    evals: list[Eval] | UnsetType = UNSET
    eval: Eval | UnsetType | None = UNSET
    step: Step | UnsetType = UNSET
    truncated: list[str] | UnsetType = UNSET


class EvalEventData(Struct, rename="camel", kw_only=True):
    """The data of every evaluation event.

    Attributes:
        trace_id: Equal for the events of one evaluation.
        eval: The evaluation named by the event; null where there is none.
        error_changed: Whether the jobset's error differs from the one before; null
            where the Hydra in use does not say.
    """

    event: str
    trace_id: str
    project: str
    jobset: str
    jobset_info: Jobset
    project_info: Project
    eval: Eval | None
    error_changed: bool | None
    url: str
    truncated: list[str] | UnsetType = UNSET
