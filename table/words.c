// SPDX-License-Identifier: GPL-2.0-only
/*
 * The spelling of the options of a table line, for parsing and printing.
 */
#include "words.h"

const char *const xc_flag_words[XC_FLAGS] = {
	[XC_ALLOW_DISCARDS] = "allow_discards",
	[XC_SAME_CPU_CRYPT] = "same_cpu_crypt",
	[XC_HIGH_PRIORITY] = "high_priority",
	[XC_SUBMIT_FROM_CRYPT_CPUS] = "submit_from_crypt_cpus",
	[XC_NO_READ_WORKQUEUE] = "no_read_workqueue",
	[XC_NO_WRITE_WORKQUEUE] = "no_write_workqueue",
	[XC_IV_LARGE_SECTORS] = "iv_large_sectors",
	[XC_VERIFY_WRITES] = "verify_writes",
	[XC_REKEY_START] = "rekey_start",
	[XC_REKEY_PAUSED] = "rekey_paused",
	[XC_REKEY_IV_LARGE_SECTORS] = "rekey_iv_large_sectors",
	[XC_REKEY_SPARSE] = "rekey_sparse",
};

const char *const xc_offload_words[] = {
	[XC_OFFLOAD_DEFAULT] = "auto",
	[XC_OFFLOAD_AUTO] = "auto",
	[XC_OFFLOAD_INLINE] = "inline",
	[XC_OFFLOAD_SPREAD] = "spread",
};

const char *const xc_engine_words[] = {
	[XC_ENGINE_DEFAULT] = "auto",
	[XC_ENGINE_AUTO] = "auto",
	[XC_ENGINE_API] = "api",
	[XC_ENGINE_BATCH] = "batch",
};

const char *const xc_resilience_words[] = {
	[XC_RESILIENCE_DEFAULT] = "auto",
	[XC_RESILIENCE_AUTO] = "auto",
	[XC_RESILIENCE_CHECKSUM] = "checksum",
	[XC_RESILIENCE_JOURNAL] = "journal",
};
