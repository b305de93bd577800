"""A configuration of Hydra's that uses every block there is."""

from pathlib import Path

SECRETS = (
    "Bearer hush-github",
    "token hush-status",
    "hush-gitea",
    "hush-gitlab",
    "hush-bitbucket",
    "https://hooks.example.org/hush-slack",
    "hush-influx",
    "hush-circle",
    "hush-coverity",
)
"""Each has its own, and all have one word."""

WHOLE = """\
base_uri = https://hydra.example.org
notification_sender = hydra@example.org
email_notification = 1
max_servers = 25
queue_runner_endpoint = http://localhost:8080
store_uri = auto
server_store_uri = auto
enable_bitbucket_status = 1
compress_build_logs = 1
compress_build_logs_compression = zstd
compress_build_logs_silent = 1
Include keys/github.conf
<githubstatus>
  jobs = nixpkgs:trunk:.*
  inputs = nixpkgs
  excludeBuildFromContext = 1
</githubstatus>
<githubstatus>
  jobs = tests:.*:[a-z]+   # all of them
  authorization = token hush-status
  context = ci
  description = "Build \\#1"
  useShortContext = 1
</githubstatus>
<gitea_authorization>
  root = hush-gitea
</gitea_authorization>
<gitlab_authorization>
  17 = hush-gitlab
</gitlab_authorization>
<bitbucket>
  username = me
  password = hush-bitbucket
</bitbucket>
<slack>
  jobs = (nixpkgs|tests):trunk:.*
  include keys/slack
  force = true
</slack>
<influxdb>
  url = http://writer:hush-influx@localhost:8086
  db = hydra
</influxdb>
<circleci>
  jobs = p:j:deploy
  vcstype = github
  username = u
  project = p
  branch = main
  token = hush-circle
  force = 0
</circleci>
<coverityscan>
  jobs = p:j:coverity
  project = x/y
  email = me@example.org
  token = hush-coverity
  scanurl = https://scan.example.org
</coverityscan>
<s3backup>
  jobs = p:j:.*
  name = bucket
  prefix = x/
  compression_type = xz
</s3backup>
<sotest>
  uri = https://sotest.example.org
  authfile = /var/lib/hydra/sotest.auth
  priority = 1
</sotest>
<runcommand>
  job = p:j:*
  command = cp "$HYDRA_JSON" \\
    /tmp
  events = buildFinished
</runcommand>
<runcommand>
  command <<END
    echo a
    echo b
    END
</runcommand>
<dynamicruncommand>
  enable = 1
</dynamicruncommand>
<hydra_notify>
  <prometheus>
    listen_address = 127.0.0.1
    port = 9199
  </prometheus>
</hydra_notify>
<my_plugin>
  password = hush-unknown
</my_plugin>
<git-input>
  timeout = 60
</git-input>
"""

PLUGINS = (
    *("github", "github_2", "slack", "influxdb", "circleci", "coverity", "sotest"),
    *("s3_backup", "gitea", "gitlab", "bitbucket", "mail", "run_command"),
    *("compress_log", "declarative_jobsets", "my_plugin"),
)


def write_whole(directory: Path) -> Path:
    """Write it, and what it includes; returns its path."""
    (directory / "keys").mkdir()
    token = "<github_authorization>\n  NixOS = Bearer hush-github\n"
    (directory / "keys/github.conf").write_text(f"{token}</github_authorization>\n")
    (directory / "keys/slack").write_text(f"url = {SECRETS[5]}\n")
    path = directory / "hydra.conf"
    path.write_text(WHOLE)
    return path
