#!/bin/sh
# The compiler, as `cargo xtask fuzz` has cargo call it. Only what is to be explored is instrumented, with DRAWBRIDGE_FUZZ_FLAGS: the project's own
# crates and the parsers beneath them. Ciphers, inflaters and runtimes would take most of the time, and lead away from what is theirs.
set -eu
compiler=$1
shift
name=
before=
for argument; do
    if [ "$before" = --crate-name ]; then
        name=$argument
    fi
    before=$argument
done
case " $* " in
# What runs on the host while building is never instrumented: it couldn't be linked.
*" --target "*)
    case $name in
    drawbridge* | serde_json | toml* | winnow | serde_saphyr | saphyr*)
        # Flags without blanks, which are to be separate words.
        # shellcheck disable=SC2086
        exec "$compiler" "$@" $DRAWBRIDGE_FUZZ_FLAGS
        ;;
    esac
    ;;
esac
exec "$compiler" "$@"
