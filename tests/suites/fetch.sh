#!/usr/bin/env bash
# Fetches three real projects with their own tests, for regression tracing to be
# tried on, into the folder given (or target/suites). Everything is pinned by a
# digest; nothing is fetched twice, and nothing is fetched once it is there.
# Needs curl and tar; a suite whose runtime (cargo, python3, npm) is missing is
# left out, and says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
into=${1:-$here/../../target/suites}
mkdir -p "$into"
into=$(cd "$into" && pwd)

say() { echo "suites: $*" >&2; }

# fetch URL SHA256 FILE
fetch() {
    echo "$2  $3" | sha256sum --check --status 2>/dev/null && return
    curl --fail --silent --show-error --location --retry 3 --output "$3" "$1"
    if ! echo "$2  $3" | sha256sum --check --status; then
        rm -f "$3"
        say "$1 is not what it was: its SHA-256 should be $2"
        return 1
    fi
}

# A crate, with what it depends on beside it.
rust() {
    fetch https://static.crates.io/crates/walkdir/walkdir-2.5.0.crate \
        29790946404f91d9c5d06f9874efddea1dc06c5efe94541a7d6863108e3a5e4b walkdir.crate
    tar -xzf walkdir.crate
    cd walkdir-2.5.0
    cp "$here/rust/Cargo.lock" .
    cat "$here/rust/planted.rs" >>src/tests/recursive.rs
    # A clone may lie around it, whose workspace it is none of.
    grep -q '^\[workspace\]' Cargo.toml || printf '\n[workspace]\n' >>Cargo.toml
    mkdir -p .cargo
    cargo vendor --quiet --locked >.cargo/config.toml
}

# A package and pytest, as wheels, which are archives to be unpacked.
python() {
    local url digest
    while read -r url digest; do
        fetch "$url" "$digest" "${url##*/}"
        python3 -m zipfile -e "${url##*/}" site
    done <"$here/python/wheels.txt"
    fetch https://files.pythonhosted.org/packages/96/d3/f04c7bfcf5c1862a2a5b845c6b2b360488cf47af55dfa79c98f6a6bf98b5/click-8.1.7.tar.gz \
        ca9853ad459e787e2192211578cc907e7594e294c7ccc834310722b41b9ca6de click.tar.gz
    tar -xzf click.tar.gz
    cp "$here/python/test_planted.py" click-8.1.7/tests
}

# A package and mocha, by npm's own lock file.
npm_() {
    cp "$here/npm/package.json" "$here/npm/package-lock.json" .
    npm ci --ignore-scripts --no-audit --no-fund --silent
    cp "$here/npm/planted.js" node_modules/mv/test
}

declare -A runtimes=([rust]=cargo [python]=python3 [npm]=npm)
for suite in rust python npm; do
    if ! command -v "${runtimes[$suite]}" >/dev/null; then
        say "$suite is left out: there is no ${runtimes[$suite]}"
        continue
    fi
    done=$into/$suite/.fetched
    # What is pinned decides whether what is there is what is wanted.
    pins=$(cat "$here/fetch.sh" "$here/$suite"/* | sha256sum)
    if [ "$(cat "$done" 2>/dev/null)" = "$pins" ]; then
        say "ok: $suite"
        continue
    fi
    say "fetch $suite"
    rm -rf "${into:?}/$suite"
    mkdir -p "$into/$suite"
    run=$suite
    [ "$suite" = npm ] && run=npm_
    (cd "$into/$suite" && "$run")
    echo "$pins" >"$done"
done
