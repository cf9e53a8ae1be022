// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encrypts standard input to standard output as dm-crypt does with
 * aes-xts-plain64, using OpenSSL: a whole file system would take minutes in an
 * emulated machine.
 *
 * Usage: xts-volume KEY-FILE (64 bytes)
 */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

static void must(int ok, const char *what)
{
	if (ok == 1)
		return;
	fprintf(stderr, "xts-volume: %s\n", what);
	exit(1);
}

int main(int argc, char **argv)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char key[64], in[512], out[512];
	uint64_t iv[2] = { 0, 0 };
	uint64_t sector;
	FILE *file;
	int len;

	must(argc == 2 && ctx, "one argument: the file with the key");
	file = fopen(argv[1], "r");
	must(file && fread(key, sizeof(key), 1, file) == 1, "the key has 64 bytes");
	must(EVP_EncryptInit_ex(ctx, EVP_aes_256_xts(), NULL, key, NULL), "OpenSSL: the key");

	for (sector = 0; fread(in, sizeof(in), 1, stdin) == 1; sector++) {
		iv[0] = htole64(sector);
		must(EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, (unsigned char *)iv),
		     "OpenSSL: the IV");
		must(EVP_EncryptUpdate(ctx, out, &len, in, sizeof(in)), "OpenSSL: a sector");
		must(fwrite(out, sizeof(out), 1, stdout) == 1, "cannot write");
	}
	must(!ferror(stdin) && !fflush(stdout), "cannot read or write");
	return 0;
}
