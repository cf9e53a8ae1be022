#!/usr/bin/env bats
# kernels: 6.1
#
# make lint finds nothing in this tree; and each of its checks finds a fault that was
# made for it, in a tree that has nothing else.

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
	# (its status is in the first test that looks at what it found)
	scripts/lint >"$FOUND" 2>"$FOUND.log" || echo "status $?" >>"$FOUND.log"
}

setup() { cd "$TOP" || return; }

# A fault for each check, and the rest of what is built.
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

	# upward, and in a circle
	mkdir io stats
	printf '%s\n' '#include "../io/up.h"' >stats/down.c
	printf '%s\n' '#include "b.h"' >io/a.c
	printf '%s\n' '#include "a.h"' >io/b.h
	touch io/a.h io/up.h

	printf '%s\n' 'obj-m := faults.o' 'faults-y := compiler.o sparse.o' >Kbuild
}

# finds CHECK REGEX: a line like this is among what that check says
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

@test "every check has its fault here" {
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

@test "arrows: a circle of files" {
	finds arrows '^circle of files: io/[ab], io/[ab]$'
}

@test "arrows: a table whose arrows point up" {
	sed -i 's/^stats$/stats	io/' "$TREE/scripts/lint.d/arrows.txt"
	cd "$TREE"
	run scripts/lint arrows
	echo "$output"
	[ "$status" = 1 ]
	grep -qx 'arrows.txt: stats may not name io, which is not further down' <<<"$output"
}

@test "what is found is a failure" {
	cat "$FOUND" "$FOUND.log"
	grep -qx 'status 1' "$FOUND.log"
}

@test "checkpatch: a file without a licence" {
	finds checkpatch '^checkpatch.h:1: WARNING:SPDX_LICENSE_TAG'
}

@test "kernel-doc: an argument that is not there" {
	finds kernel_doc "kernel_doc.h:.*'gone'"
}

@test "the compiler: a function without a prototype" {
	finds compiler "compiler.c:.*no previous prototype for .fault_compiler"
}

@test "sparse: little-endian taken for native" {
	finds sparse '^sparse.c:7:.*incorrect type in return expression'
}

@test "shellcheck: a word that splits" {
	finds shell '^shell.bash:2:.*SC2086'
}

@test "a tool that does not run is no clean tree" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '%s\n' '#!/bin/sh' 'echo crashed >&2' 'exit 2' >"$BATS_TEST_TMPDIR/bin/shellcheck"
	chmod 755 "$BATS_TEST_TMPDIR/bin/shellcheck"
	cd "$TREE"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run scripts/lint shell
	[ "$status" = 1 ]
	[[ $output == *crashed* ]]
}

@test "a check that there is not is none" {
	run scripts/lint shel
	[ "$status" = 1 ]
	[[ $output == *"no check is called 'shel'"* ]]
}
