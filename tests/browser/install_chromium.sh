#!/usr/bin/env bash
# Makes sure that a Chromium for the browser tests is at hand; installs Debian's where it is missing.
set -eu
command -v chromium >/dev/null 2>&1 && exit 0
sudo=; [ "$(id -u)" -eq 0 ] || sudo=sudo
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The browser tests need Chromium on the PATH; install it with your package manager, then run make test again." >&2
  exit 2
fi
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null
