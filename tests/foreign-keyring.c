// SPDX-License-Identifier: GPL-2.0
/*
 * foreign-keyring COMMAND [ARGUMENT...]: run it as root in a session keyring of
 * user 1000, like a command of sudo if pam_keyinit created the session keyring.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(1, "no command");
	if (setresuid(1000, 1000, 0) ||
	    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    setresuid(0, 0, 0))
		err(1, "no keyring");
	execvp(argv[1], argv + 1);
	err(1, "%s", argv[1]);
}
