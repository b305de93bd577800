"""Every notification Hydra can send: one program each, on what they really share.

* `jobs`: which jobs; `statuses`: how a build ended, in words.
* `http`: requests, and what the answers mean for an event.
* `done`: what has been done already.
* `news`: which builds people are told of; `authors`: who may have caused a change.
* `commit_status`: what `github`, `gitlab`, `gitea` and `bitbucket` say of a build at
  its commits. Under it: `revisions` (which commits), `said` (what is said already),
  `sites`, `tokens` and `status_texts` (where, with what secret, in whose words).
"""
