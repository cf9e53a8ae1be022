/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The optional parameters of a table line, parsed.
 */
#ifndef _XC_OPTIONS_H
#define _XC_OPTIONS_H

#include "../dm-xcrypt.h"

/**
 * enum xc_flag - optional parameters without a value
 * @XC_ALLOW_DISCARDS: pass discards down, which reveals unused sectors
 * @XC_SAME_CPU_CRYPT: encrypt on the CPU that submitted the bio
 * @XC_HIGH_PRIORITY: use workqueues of high priority
 * @XC_SUBMIT_FROM_CRYPT_CPUS: submit writes where they were encrypted
 * @XC_NO_READ_WORKQUEUE: decrypt where the read completes
 * @XC_NO_WRITE_WORKQUEUE: encrypt where the write is submitted
 * @XC_IV_LARGE_SECTORS: count IVs in encryption sectors, not in 512 bytes
 * @XC_VERIFY_WRITES: decrypt every encrypted sector again and compare
 * @XC_REKEY_START: begin a conversion, rather than continue it
 * @XC_REKEY_PAUSED: do not convert before told to
 * @XC_REKEY_IV_LARGE_SECTORS: the new side counts IVs in its encryption sectors
 * @XC_REKEY_SPARSE: do not convert zeros of the underlying device
 * @XC_FLAGS: number of flags
 */
enum xc_flag {
	XC_ALLOW_DISCARDS,
	XC_SAME_CPU_CRYPT,
	XC_HIGH_PRIORITY,
	XC_SUBMIT_FROM_CRYPT_CPUS,
	XC_NO_READ_WORKQUEUE,
	XC_NO_WRITE_WORKQUEUE,
	XC_IV_LARGE_SECTORS,
	XC_VERIFY_WRITES,
	XC_REKEY_START,
	XC_REKEY_PAUSED,
	XC_REKEY_IV_LARGE_SECTORS,
	XC_REKEY_SPARSE,
	XC_FLAGS,
};

/**
 * enum xc_offload - where the cipher runs
 * @XC_OFFLOAD_DEFAULT: not given; the same as auto, but not printed
 * @XC_OFFLOAD_AUTO: chosen for each bio
 * @XC_OFFLOAD_INLINE: in the submitting or completing context
 * @XC_OFFLOAD_SPREAD: in a workqueue that distributes bios over the CPUs
 */
enum xc_offload {
	XC_OFFLOAD_DEFAULT,
	XC_OFFLOAD_AUTO,
	XC_OFFLOAD_INLINE,
	XC_OFFLOAD_SPREAD,
};

/**
 * enum xc_engine_choice - the engine requested in a table line
 * @XC_ENGINE_DEFAULT: not given; the same as auto, but not printed
 * @XC_ENGINE_AUTO: the fastest that fits
 * @XC_ENGINE_API: one kernel crypto API request per sector
 * @XC_ENGINE_BATCH: many sectors in one pass
 */
enum xc_engine_choice {
	XC_ENGINE_DEFAULT,
	XC_ENGINE_AUTO,
	XC_ENGINE_API,
	XC_ENGINE_BATCH,
};

/**
 * enum xc_resilience_choice - how a conversion survives a power cut
 * @XC_RESILIENCE_DEFAULT: not given; the same as auto, but not printed
 * @XC_RESILIENCE_AUTO: checksum where that needs nothing of the underlying device, else
 *	journal
 * @XC_RESILIENCE_CHECKSUM: by digests of the old sectors
 * @XC_RESILIENCE_JOURNAL: by a copy of the new sectors
 */
enum xc_resilience_choice {
	XC_RESILIENCE_DEFAULT,
	XC_RESILIENCE_AUTO,
	XC_RESILIENCE_CHECKSUM,
	XC_RESILIENCE_JOURNAL,
};

/* The speed of a conversion, in KiB/s: as fast as the users of the volume leave it. */
#define XC_SPEED_AUTO UINT_MAX

/**
 * struct xc_options - the optional parameters of a table line
 * @flags: bits numbered by enum xc_flag
 * @offload: where the cipher runs
 * @engine: the engine requested
 * @resilience: how a conversion survives a power cut
 * @sector_size: bytes in an encryption sector
 * @tag_size: bytes of metadata per sector, from ``integrity:``; 0: none
 * @aead: the profile of ``integrity:`` is aead rather than none
 * @mac_key_size: bytes given with ``integrity_key_size:``; 0: not given
 */
struct xc_options {
	unsigned long flags;
	enum xc_offload offload;
	enum xc_engine_choice engine;
	enum xc_resilience_choice resilience;
	unsigned int sector_size;
	unsigned int tag_size;
	bool aead;
	unsigned int mac_key_size;
};

/**
 * xc_opt() - check whether a flag was given
 * @opt: the options
 * @flag: the flag
 *
 * Context: Any context.
 * Return: true if it was.
 */
static inline bool xc_opt(const struct xc_options *opt, enum xc_flag flag)
{
	return opt->flags & BIT(flag);
}

#endif
