# Sourced by scripts/demo, scripts/test and scripts/bench: installs what they need and leaves `$NODE` set.
# A fresh Debian machine with root gets everything; elsewhere the missing part is named and the script stops.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing() { echo "banyan: $1" >&2; exit 1; }

install_packages() {
  local stamp=node_modules/.banyan-setup
  if [ -x node_modules/.bin/node ] && [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then return; fi
  command -v npm >/dev/null || missing "npm is missing. Install Node.js (any version from 20 on) and run this again."
  echo "banyan: installing npm packages" >&2
  # Not `npm ci`: it insists on the optional binaries of every platform, which not every registry mirror carries.
  # Without install scripts nothing is compiled: better-sqlite3 brings its binaries along.
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  npm rebuild node --loglevel=error >&2   # fetches the pinned Node for this platform
  cp package-lock.json "$stamp"
}

can_apt() { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; }

# Every server of ours is private: policy-rc.d keeps apt from starting a system-wide one. One that is there stays as it is.
apt_install() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  fi
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
)

install_mariadb() {
  if command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ]; then return; fi
  if can_apt; then
    echo "banyan: installing MariaDB (apt)" >&2
    apt_install mariadb-server
  else
    missing "no MariaDB server found. Install MariaDB 10.5 or newer (mariadbd and mariadb-install-db on the PATH), for example
  Debian/Ubuntu: sudo apt-get install mariadb-server      Fedora: sudo dnf install mariadb-server      macOS: brew install mariadb"
  fi
}

# Makes the certificates of the tests.
install_openssl() {
  command -v openssl >/dev/null && return
  can_apt && apt_install openssl || missing "no openssl found: install it"
}

install_packages
install_mariadb
install_openssl
export PATH="$PWD/node_modules/.bin:/usr/sbin:$PATH"
NODE="$PWD/node_modules/.bin/node"
