#!/usr/bin/env bash
# Installs what Kafka and Kafka Connect need: Java, and the jars of the two poms in a cache. Where it cannot, it says so
# in one line and fails.
. "$(dirname "$0")/../setup.sh"

# Kafka's broker needs Java 17. macOS has a `java` that only says that there is none.
has_java() { [ "$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1)" -ge 17 ] 2>/dev/null; }
has_maven() { command -v mvn >/dev/null; }

install_from_apt() {
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 0
  echo "banyan: installing $* (apt)" >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null 2>&1 || true
}

install_java() {
  has_java || install_from_apt default-jre-headless
  has_java || missing "no Java 17 or newer found, which Kafka needs. Install it (Debian/Ubuntu: apt-get install default-jre-headless, Fedora: dnf install java-21-openjdk-headless, macOS: brew install openjdk) and run this again."
}

install_maven() {
  has_maven || install_from_apt maven
  has_maven || missing "no Maven found, which fetches Kafka and Debezium. Install it (Debian/Ubuntu: apt-get install maven, Fedora: dnf install maven, macOS: brew install maven) and run this again."
}

# The folder gets its name when it is complete: one that was interrupted is never taken for whole.
install_jars() {
  local folder new log
  folder=$("$NODE" -p "require('./scripts/java/jar-folder.ts').jarFolder('$1')")
  [ -d "$folder" ] && return
  install_maven
  echo "banyan: fetching the jars of scripts/java/$1.pom.xml (Maven)" >&2
  mkdir -p "$(dirname "$folder")"
  new=$(mktemp -d "$folder.XXXXXX") log=$(mktemp)
  if ! mvn -q -B -Dstyle.color=never -f "scripts/java/$1.pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$new/jars" >"$log" 2>&1; then
    rm -rf "$new"
    missing "Maven could not fetch the jars of scripts/java/$1.pom.xml: $(sed -n '/ERROR/{s/.*\[ERROR\] //p;q;}' "$log")"
  fi
  rm -f "$log"
  # Unlike `mv`, this fails when another run has been faster.
  "$NODE" -e 'fs.renameSync(process.argv[1], process.argv[2])' "$new" "$folder" 2>/dev/null || rm -rf "$new"
}

install_java
install_jars worker
install_jars plugins
