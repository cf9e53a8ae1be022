# shellcheck shell=bash
#
# Shared by the suites of keys: two keys a test, which must not be in the log afterwards.

load lib

teardown_file()
{
	clean_up
	unload_target
}

setup()
{
	KEY=$(hex_key 32 "$BATS_TEST_NUMBER/1")
	OTHER=$(hex_key 32 "$BATS_TEST_NUMBER/2")
	log_mark
}

# No test may leave its keys in the log
teardown()
{
	unmap_all
	keyctl clear @s
	fails grep -iF -e "${KEY:8:16}" -e "${OTHER:8:16}" \
		-e "${KEY: -16}" -e "${OTHER: -16}" <<<"$(log_since)"
}
