#!/usr/bin/env bats
# bats file_tags=quick
#
# docs/target.md names everything that the code has: options, messages, status words,
# parameters, IV generators.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and means to be

cd "$BATS_TEST_DIRNAME/../.." || exit

page=docs/target.md

# named WORD...: each must be in the page, as code or at the beginning of it
named()
{
	local word
	[ $# -gt 0 ] || { echo "none found in the code"; return 1; }
	for word in "$@"; do
		echo "$word"
		grep -qE "\`([^\`]*\|)?$word([\`:|=<, ]|\\\\\\|)" "$page"
	done
}

# words SED-COMMAND FILE...: set words to sed's output for the code
words()
{
	mapfile -t words < <(sed -nE "$@")
}

@test "flags, and the values of offload and engine" {
	words 's/.*\] = "([a-z_]+)".*/\1/p' table/words.c
	[ ${#words[@]} -ge 13 ]
	named "${words[@]}"
}

@test "options with a value" {
	words "s/.*(strstarts|option_value)\(word, \"([a-z_]+):\".*/\2/p" table/table.c
	[ ${#words[@]} -ge 5 ]
	named "${words[@]}"
}

@test "messages" {
	words 's/^ \*	([a-z]+( [a-z]+)*)( <[^>]*>(\|[a-z]+)?)?$/\1/p' table/message.c
	[ ${#words[@]} -ge 7 ]
	named "${words[@]}"
	# the file's head names exactly what the code accepts
	mapfile -t accepted < <(grep -oE 'is\(argv\[[01]\], "[a-z]+"' table/message.c | cut -d'"' -f2)
	[ ${#accepted[@]} -ge 10 ]
	for word in "${accepted[@]}"; do
		echo "$word"
		grep -qw "$word" <<<"${words[*]}"
	done
}

@test "status words" {
	words '/^void xc_status_print/,/^}/ {
		/DMEMIT/!d
		s/.*"(.*)".*/\1/; s/:%[^ ]*//g; s/^ //; s/ /\n/g; p
	}' volume/status.c
	[ ${#words[@]} -ge 10 ]
	named "${words[@]}"
}

@test "module parameters" {
	words 's/^module_param[a-z_]*\(([a-z_]+),.*/\1/p' ./*.c ./*/*.c
	[ ${#words[@]} -ge 3 ]
	named "${words[@]}"
}

@test "IV generators" {
	words 's/.*\.name = "([a-z0-9]+)".*/\1/p' iv/*.c
	[ ${#words[@]} -ge 11 ]
	named "${words[@]}"
}
