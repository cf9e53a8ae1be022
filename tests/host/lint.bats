#!/usr/bin/env bats
# kernels: 6.1
#
# make lint finds nothing in this tree, and each of its checks finds its own fault in a
# tree of faults.

# shellcheck shell=bash

setup_file()
{
	TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export TOP TREE=$BATS_FILE_TMPDIR/tree FOUND=$BATS_FILE_TMPDIR/found

	mkdir "$TREE"
	cp -r "$TOP/scripts" "$TREE/"
	cd "$TREE" || return
	faults
	git init -q
	git add -- *
	git rm -rq --cached scripts
	# (its status is checked in a test below)
	scripts/lint >"$FOUND" 2>"$FOUND.log" || echo "status $?" >>"$FOUND.log"
}

setup() { cd "$TOP" || return; }

# faults: create a fault for each check, and a Kbuild file for the compiler's
faults()
{
	echo 'static int fault_checkpatch;' >checkpatch.h

	cat >kernel_doc.h <<-'END'
		/* SPDX-License-Identifier: GPL-2.0-only */
		/**
		 * fault_kernel_doc() - has no argument of this name
		 * @gone: is it
		 */
		int fault_kernel_doc(int here);
	END

	cat >compiler.c <<-'END'
		// SPDX-License-Identifier: GPL-2.0-only
		int fault_compiler(void)
		{
			return 0;
		}
	END

	cat >sparse.c <<-'END'
		// SPDX-License-Identifier: GPL-2.0-only
		#include <linux/module.h>
		#include <linux/types.h>

		static int __used fault_sparse(__le32 number)
		{
			return number;
		}

		MODULE_DESCRIPTION("Faults for lint to find");
		MODULE_LICENSE("GPL");
	END

	# shellcheck disable=SC2016 # the fault
	printf '%s\n' '# shellcheck shell=bash' 'echo $1' >shell.bash

	# an include that points up, and a cycle
	mkdir io stats
	printf '%s\n' '#include "../io/up.h"' >stats/down.c
	printf '%s\n' '#include "b.h"' >io/a.c
	printf '%s\n' '#include "a.h"' >io/b.h
	touch io/a.h io/up.h

	printf '%s\n' 'obj-m := faults.o' 'faults-y := compiler.o sparse.o' >Kbuild
}

# finds CHECK REGEX: does a finding of CHECK match REGEX?
finds()
{
	cat "$FOUND" "$FOUND.log"
	sed -n "/^-- $1\$/,/^-- /p" "$FOUND" | grep -E "$2"
}

@test "the tree is clean" {
	run scripts/lint
	echo "$output"
	[ "$status" = 0 ]
}

@test "this suite has a fault for every check" {
	run sed -nE 's/^lane (.*[a-z])( &)?$/\1/p' scripts/lint
	[ "$(wc -w <<<"$output")" -ge 5 ]
	for name in $output; do
		echo "$name"
		grep -qE "^	finds $name " "$BATS_TEST_FILENAME"
	done
}

@test "arrows: an include that the table of folders does not allow" {
	finds arrows '^stats/down.c:1: includes io/up.h, which arrows.txt does not allow for stats'
}

@test "arrows: an include cycle" {
	finds arrows '^include cycle: io/[ab], io/[ab]$'
}

@test "arrows: a table whose arrows point up" {
	sed -i 's/^stats$/stats	io/' "$TREE/scripts/lint.d/arrows.txt"
	cd "$TREE"
	run scripts/lint arrows
	echo "$output"
	[ "$status" = 1 ]
	grep -qx 'arrows.txt: stats may not name io, which is not further down' <<<"$output"
}

@test "lint fails if there are findings" {
	cat "$FOUND" "$FOUND.log"
	grep -qx 'status 1' "$FOUND.log"
}

@test "checkpatch: a file without a licence" {
	finds checkpatch '^checkpatch.h:1: WARNING:SPDX_LICENSE_TAG'
}

@test "kernel-doc: a documented argument that does not exist" {
	finds kernel_doc "kernel_doc.h:.*'gone'"
}

@test "the compiler: a function without a prototype" {
	finds compiler "compiler.c:.*no previous prototype for .fault_compiler"
}

@test "sparse: a little-endian number used as a native one" {
	finds sparse '^sparse.c:7:.*incorrect type in return expression'
}

@test "shellcheck: an unquoted variable" {
	finds shell '^shell.bash:2:.*SC2086'
}

@test "a tool that crashes is a finding" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '%s\n' '#!/bin/sh' 'echo crashed >&2' 'exit 2' >"$BATS_TEST_TMPDIR/bin/shellcheck"
	chmod 755 "$BATS_TEST_TMPDIR/bin/shellcheck"
	cd "$TREE"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run scripts/lint shell
	[ "$status" = 1 ]
	[[ $output == *crashed* ]]
}

@test "an unknown check is an error" {
	run scripts/lint shel
	[ "$status" = 1 ]
	[[ $output == *"no check is called 'shel'"* ]]
}
