// SPDX-License-Identifier: GPL-2.0-only
/*
 * A volume, printed as the table line that makes it, and as what IMA measures.
 */
#include "../dm-xcrypt.h"

/* The flags that dm-crypt prints first, in its order; then come the sizes. */
static const enum xc_flag first_flags[] = {
	XC_ALLOW_DISCARDS,
	XC_SAME_CPU_CRYPT,
	XC_HIGH_PRIORITY,
	XC_SUBMIT_FROM_CRYPT_CPUS,
	XC_NO_READ_WORKQUEUE,
	XC_NO_WRITE_WORKQUEUE,
};

static unsigned int count_options(const struct xc_options *opt)
{
	return hweight_long(opt->flags) + !!opt->tag_size +
		(opt->sector_size != SECTOR_SIZE) + !!opt->mac_key_size +
		!!opt->offload + !!opt->engine;
}

static unsigned int print_options(const struct xc_options *opt, char *result,
				  unsigned int maxlen, unsigned int sz)
{
	unsigned int i;

	if (!count_options(opt))
		return sz;

	DMEMIT(" %u", count_options(opt));
	for (i = 0; i < ARRAY_SIZE(first_flags); i++)
		if (xc_opt(opt, first_flags[i]))
			DMEMIT(" %s", xc_flag_words[first_flags[i]]);
	if (opt->tag_size)
		DMEMIT(" integrity:%u:%s", opt->tag_size,
		       opt->aead ? "aead" : "none");
	if (opt->sector_size != SECTOR_SIZE)
		DMEMIT(" sector_size:%u", opt->sector_size);
	if (xc_opt(opt, XC_IV_LARGE_SECTORS))
		DMEMIT(" iv_large_sectors");
	if (opt->mac_key_size)
		DMEMIT(" integrity_key_size:%u", opt->mac_key_size);
	/* cryptsetup refuses words it does not know: only if they were given */
	if (opt->offload)
		DMEMIT(" offload:%s", xc_offload_words[opt->offload]);
	if (opt->engine)
		DMEMIT(" engine:%s", xc_engine_words[opt->engine]);
	if (xc_opt(opt, XC_VERIFY_WRITES))
		DMEMIT(" verify_writes");
	return sz;
}

/**
 * xc_table_print() - print the table line that makes a volume
 * @vol: the volume
 * @result: where to print
 * @maxlen: room there, in bytes
 *
 * Context: Process context.
 */
void xc_table_print(const struct xc_volume *vol, char *result,
		    unsigned int maxlen)
{
	const struct xc_cipher *cipher = vol->cipher;
	const struct xc_key *key = &cipher->key;
	unsigned int i, sz = 0;

	DMEMIT("%s ", cipher->spec);
	if (!key->size)
		DMEMIT("-");
	else if (key->keyring)
		DMEMIT(":%u:%s", key->size, key->keyring);
	else
		for (i = 0; i < key->size; i++)
			DMEMIT("%02x", key->bytes[i]);
	DMEMIT(" %llu %s %llu", cipher->iv_offset, vol->dev->name,
	       (unsigned long long)vol->start);
	print_options(&vol->opt, result, maxlen, sz);
}

static char yes_no(const struct xc_volume *vol, enum xc_flag flag)
{
	return xc_opt(&vol->opt, flag) ? 'y' : 'n';
}

/**
 * xc_ima_print() - print what IMA measures of a volume
 * @vol: the volume
 * @type: the target type under which it was made
 * @result: where to print
 * @maxlen: room there, in bytes
 *
 * The same words as dm-crypt's, and no key.
 *
 * Context: Process context.
 */
void xc_ima_print(const struct xc_volume *vol, const struct target_type *type,
		  char *result, unsigned int maxlen)
{
	const struct xc_options *opt = &vol->opt;
	const struct xc_key_layout *layout = &vol->cipher->layout;
	unsigned int i, sz = 0;

	DMEMIT_TARGET_NAME_VERSION(type);
	for (i = 0; i < ARRAY_SIZE(first_flags); i++)
		DMEMIT(",%s=%c", xc_flag_words[first_flags[i]],
		       yes_no(vol, first_flags[i]));
	DMEMIT(",iv_large_sectors=%c", yes_no(vol, XC_IV_LARGE_SECTORS));
	if (opt->tag_size)
		DMEMIT(",integrity_tag_size=%u,cipher_auth=%s", opt->tag_size,
		       opt->aead ? "aead" : "none");
	if (opt->sector_size != SECTOR_SIZE)
		DMEMIT(",sector_size=%u", opt->sector_size);
	DMEMIT(",cipher_string=%s", vol->cipher->spec);
	DMEMIT(",key_size=%u,key_parts=%u,key_extra_size=%u,key_mac_size=%u;",
	       layout->size, layout->parts, layout->extra, layout->mac);
}
