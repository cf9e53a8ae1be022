// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of a table line, printed as in a table line and as IMA measures
 * them.
 */
#include "print.h"

#include <linux/bitops.h>

#include "words.h"

/* dm-crypt prints these flags first, in this order, and then the sizes. */
static const enum xc_flag first_flags[] = {
	XC_ALLOW_DISCARDS,
	XC_SAME_CPU_CRYPT,
	XC_HIGH_PRIORITY,
	XC_SUBMIT_FROM_CRYPT_CPUS,
	XC_NO_READ_WORKQUEUE,
	XC_NO_WRITE_WORKQUEUE,
};

static unsigned int count_options(const struct xc_options *opt,
				  const struct xc_rekey_words *rekey)
{
	return hweight_long(opt->flags) + !!opt->tag_size +
		(opt->sector_size != SECTOR_SIZE) + !!opt->mac_key_size +
		!!opt->offload + !!opt->engine + !!opt->resilience +
		(rekey->state ? 2 : 0) + !!rekey->cipher +
		!!rekey->sector_size + rekey->has_iv_offset;
}

/* Prints the new side of a conversion. */
static unsigned int print_rekey(const struct xc_rekey_words *rekey,
				char *result, unsigned int maxlen)
{
	unsigned int sz = 0;

	DMEMIT(" rekey_state:%s", rekey->state);
	if (rekey->key_size)
		DMEMIT(" rekey_key::%u:%s", rekey->key_size,
		       rekey->keyring ?: "wiped");
	else
		DMEMIT(" rekey_key:-");
	if (rekey->cipher)
		DMEMIT(" rekey_cipher:%s", rekey->cipher);
	if (rekey->sector_size)
		DMEMIT(" rekey_sector_size:%u", rekey->sector_size);
	if (rekey->has_iv_offset)
		DMEMIT(" rekey_iv_offset:%llu", rekey->iv_offset);
	return sz;
}

static const char *profile(const struct xc_options *opt)
{
	return opt->aead ? "aead" : "none";
}

/**
 * xc_options_print() - print options as a table line has them
 * @opt: the options
 * @rekey: the conversion
 * @result: buffer to print to
 * @maxlen: its size in bytes
 *
 * Prints " <#opts> <opt>...", or nothing without options.  xcrypt's own options
 * are printed only if they were given: cryptsetup refuses unknown words.
 *
 * Context: Any context.
 * Return: number of bytes printed.
 */
unsigned int xc_options_print(const struct xc_options *opt,
			      const struct xc_rekey_words *rekey, char *result,
			      unsigned int maxlen)
{
	unsigned int i, count = count_options(opt, rekey), sz = 0;

	if (!count)
		return 0;

	DMEMIT(" %u", count);
	for (i = 0; i < ARRAY_SIZE(first_flags); i++)
		if (xc_opt(opt, first_flags[i]))
			DMEMIT(" %s", xc_flag_words[first_flags[i]]);
	if (opt->tag_size)
		DMEMIT(" integrity:%u:%s", opt->tag_size, profile(opt));
	if (opt->sector_size != SECTOR_SIZE)
		DMEMIT(" sector_size:%u", opt->sector_size);
	if (xc_opt(opt, XC_IV_LARGE_SECTORS))
		DMEMIT(" iv_large_sectors");
	if (opt->mac_key_size)
		DMEMIT(" integrity_key_size:%u", opt->mac_key_size);
	if (opt->offload)
		DMEMIT(" offload:%s", xc_offload_words[opt->offload]);
	if (opt->engine)
		DMEMIT(" engine:%s", xc_engine_words[opt->engine]);
	if (xc_opt(opt, XC_VERIFY_WRITES))
		DMEMIT(" verify_writes");
	if (rekey->state)
		sz += print_rekey(rekey, result + sz, maxlen - sz);
	if (opt->resilience)
		DMEMIT(" rekey_resilience:%s",
		       xc_resilience_words[opt->resilience]);
	if (xc_opt(opt, XC_REKEY_IV_LARGE_SECTORS))
		DMEMIT(" rekey_iv_large_sectors");
	if (xc_opt(opt, XC_REKEY_SPARSE))
		DMEMIT(" rekey_sparse");
	if (xc_opt(opt, XC_REKEY_PAUSED))
		DMEMIT(" rekey_paused");
	return sz;
}

/**
 * xc_options_print_ima() - print options as IMA measures them
 * @opt: the options
 * @result: buffer to print to
 * @maxlen: its size in bytes
 *
 * Prints the same words as dm-crypt.
 *
 * Context: Any context.
 * Return: number of bytes printed.
 */
unsigned int xc_options_print_ima(const struct xc_options *opt, char *result,
				  unsigned int maxlen)
{
	unsigned int i, sz = 0;

	for (i = 0; i < ARRAY_SIZE(first_flags); i++)
		DMEMIT(",%s=%c", xc_flag_words[first_flags[i]],
		       xc_opt(opt, first_flags[i]) ? 'y' : 'n');
	DMEMIT(",iv_large_sectors=%c",
	       xc_opt(opt, XC_IV_LARGE_SECTORS) ? 'y' : 'n');
	if (opt->tag_size)
		DMEMIT(",integrity_tag_size=%u,cipher_auth=%s", opt->tag_size,
		       profile(opt));
	if (opt->sector_size != SECTOR_SIZE)
		DMEMIT(",sector_size=%u", opt->sector_size);
	return sz;
}
