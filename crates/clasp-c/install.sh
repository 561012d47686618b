#!/bin/sh
# Installs the header, both libraries and clasp-c.pc: install.sh PREFIX [BUILT]. BUILT is where cargo has put the libraries,
# target/release by default: `cargo build --release -p clasp-c` first.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
built=${2:-$here/../../target/release}
mkdir -p "$1/include" "$1/lib/pkgconfig"
prefix=$(cd "$1" && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../../Cargo.toml" | head -n 1)
cp "$here/include/clasp.h" "$prefix/include/clasp.h"
cp "$built/libclasp_c.a" "$prefix/lib/libclasp_c.a"
# Programs ask for the name with the ABI's number (build.rs).
cp "$built/libclasp_c.so" "$prefix/lib/libclasp_c.so.0"
ln -sf libclasp_c.so.0 "$prefix/lib/libclasp_c.so"
sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" "$here/clasp-c.pc.in" >"$prefix/lib/pkgconfig/clasp-c.pc"
