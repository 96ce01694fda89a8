#!/usr/bin/env bash
# Makes sure that a PostgreSQL server for the tests of reviews is at hand; installs Debian's where it is missing.
set -eu
command -v initdb >/dev/null 2>&1 && exit 0
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && exit 0
sudo=; [ "$(id -u)" -eq 0 ] || sudo=sudo
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests of reviews need PostgreSQL's initdb on the PATH; install it with your package manager, then run make test again." >&2
  exit 2
fi
$sudo apt-get update -qq
$sudo mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || # no server of the machine's own: the tests start theirs
  echo "create_main_cluster = false" | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends postgresql >/dev/null
