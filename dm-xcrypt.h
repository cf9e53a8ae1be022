/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dm-xcrypt: transparent encryption of block devices.
 *
 * The private header, in sections by folder.  Arrows run one way:
 * dm-xcrypt.c -> io -> cipher -> iv, so a section may use what stands above it
 * and nothing below it.
 *
 * Sector numbers and lengths of type sector_t are in units of 512 bytes; an
 * "encryption sector" is what the cipher handles at a time, sector_size bytes
 * (512 to 4096), and is the XTS standard's data unit.
 */
#ifndef _DM_XCRYPT_H
#define _DM_XCRYPT_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/crypto.h>
#include <linux/device-mapper.h>
#include <linux/llist.h>
#include <linux/mempool.h>
#include <linux/percpu_counter.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "compat/compat.h"

struct aead_request;
struct crypto_sync_skcipher;

#define DM_MSG_PREFIX "xcrypt"

/* ---- debug/: faults for the tests to inject ------------------------------ */

#ifdef XC_DEBUG
bool xc_inject_failure(gfp_t gfp);
bool xc_inject_tags_failure(void);
void xc_inject_init(void);
void xc_inject_exit(void);
#else
static inline bool xc_inject_failure(gfp_t gfp)
{
	return false;
}

static inline bool xc_inject_tags_failure(void)
{
	return false;
}

static inline void xc_inject_init(void)
{
}

static inline void xc_inject_exit(void)
{
}
#endif

/* ---- table/: the table line, parsed and printed; messages --------------- */

/**
 * enum xc_flag - options of a table line that are there or not
 * @XC_ALLOW_DISCARDS: pass discards down, which shows what is unused
 * @XC_SAME_CPU_CRYPT: encipher on the CPU that asked for it
 * @XC_HIGH_PRIORITY: high-priority workqueues
 * @XC_SUBMIT_FROM_CRYPT_CPUS: send writes down from where they were enciphered
 * @XC_NO_READ_WORKQUEUE: decipher where the read completes
 * @XC_NO_WRITE_WORKQUEUE: encipher where the write is submitted
 * @XC_IV_LARGE_SECTORS: count IVs in encryption sectors, not in 512 bytes
 * @XC_VERIFY_WRITES: decipher what was enciphered and compare
 * @XC_FLAGS: how many there are
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
	XC_FLAGS,
};

/**
 * enum xc_offload - where the cipher runs
 * @XC_OFFLOAD_DEFAULT: not given; the same as auto, but not printed
 * @XC_OFFLOAD_AUTO: chosen for each bio
 * @XC_OFFLOAD_INLINE: in the submitting or completing context
 * @XC_OFFLOAD_SPREAD: in a workqueue that shares the bios out over the CPUs
 */
enum xc_offload {
	XC_OFFLOAD_DEFAULT,
	XC_OFFLOAD_AUTO,
	XC_OFFLOAD_INLINE,
	XC_OFFLOAD_SPREAD,
};

/**
 * enum xc_engine_choice - which engine a table line asks for
 * @XC_ENGINE_DEFAULT: not given; the same as auto, but not printed
 * @XC_ENGINE_AUTO: the fastest that applies
 * @XC_ENGINE_API: one kernel crypto API request a sector
 * @XC_ENGINE_BATCH: many sectors in one pass
 */
enum xc_engine_choice {
	XC_ENGINE_DEFAULT,
	XC_ENGINE_AUTO,
	XC_ENGINE_API,
	XC_ENGINE_BATCH,
};

/**
 * struct xc_options - the optional parameters of a table line
 * @flags: bits numbered by enum xc_flag
 * @offload: where the cipher runs
 * @engine: how sectors reach the cipher
 * @sector_size: bytes in an encryption sector
 * @tag_size: bytes of metadata a sector asked for by ``integrity:``; 0: none
 * @aead: the profile of ``integrity:`` is aead rather than none
 * @mac_key_size: bytes given with ``integrity_key_size:``; 0: not given
 */
struct xc_options {
	unsigned long flags;
	enum xc_offload offload;
	enum xc_engine_choice engine;
	unsigned int sector_size;
	unsigned int tag_size;
	bool aead;
	unsigned int mac_key_size;
};

/**
 * xc_opt() - is a flag among the options?
 * @opt: the options
 * @flag: the flag
 *
 * Return: true if it is.
 */
static inline bool xc_opt(const struct xc_options *opt, enum xc_flag flag)
{
	return opt->flags & BIT(flag);
}

/**
 * struct xc_table - a table line, taken apart
 * @cipher: the cipher specification, as given
 * @key: the key argument, as given
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @device: path or number of the device below
 * @start: first sector used of the device below
 * @opt: the optional parameters
 *
 * The strings are those of the argument vector.
 */
struct xc_table {
	char *cipher;
	char *key;
	u64 iv_offset;
	const char *device;
	sector_t start;
	struct xc_options opt;
};

/**
 * struct xc_spec - a cipher specification, taken apart
 * @name: what the crypto API is asked for, without ESSIV
 * @iv: name of the IV generator, NULL where none was named
 * @iv_opts: what followed the IV generator's name, NULL for nothing
 * @keys: number of keys (ciphers) that sectors are shared among in turn
 * @buf: a copy of the specification, which @iv and @iv_opts point into
 */
struct xc_spec {
	char name[CRYPTO_MAX_ALG_NAME];
	const char *iv;
	const char *iv_opts;
	unsigned int keys;
	char buf[256];
};

/**
 * xc_spec_iv_is() - does a specification name this IV generator?
 * @spec: the specification
 * @name: the generator's name
 *
 * Return: true if it does.
 */
static inline bool xc_spec_iv_is(const struct xc_spec *spec, const char *name)
{
	return spec->iv && !strcmp(spec->iv, name);
}

/**
 * enum xc_action - what a message asks for
 * @XC_STATS: the histograms
 * @XC_KEY_SET: to take a key
 * @XC_KEY_WIPE: to forget the key
 */
enum xc_action {
	XC_STATS,
	XC_KEY_SET,
	XC_KEY_WIPE,
};

/**
 * struct xc_message - a message, taken apart
 * @action: what is to be done
 * @key: the key argument, one of the message's words; NULL where none is needed
 */
struct xc_message {
	enum xc_action action;
	const char *key;
};

struct xc_volume;

extern const char *const xc_flag_words[XC_FLAGS];
extern const char *const xc_offload_words[];
extern const char *const xc_engine_words[];

int xc_table_parse(struct xc_table *table, unsigned int argc, char **argv,
		   sector_t len, char **error);
int xc_spec_parse(struct xc_spec *spec, const char *string, bool aead,
		  char **error);
int xc_message_parse(struct xc_message *message, unsigned int argc,
		     char **argv, char **error);
void xc_table_print(const struct xc_volume *vol, char *result,
		    unsigned int maxlen);
void xc_ima_print(const struct xc_volume *vol, const struct target_type *type,
		  char *result, unsigned int maxlen);
void xc_log_value(const char *argument, const char *value);
void xc_log_refused(unsigned int argc, char **argv, const char *error);
void xc_warn_cut(const char *argument, const char *digits, unsigned int value);

/* ---- key/: from the key argument to bytes ------------------------------- */

/**
 * struct xc_key - the key of a volume
 * @size: bytes in @bytes; never changes
 * @keyring: "<type>:<description>" of a key kept in the keyring, else NULL
 * @bytes: the key itself; zero when it is in the keyring or was wiped
 */
struct xc_key {
	unsigned int size;
	char *keyring;
	u8 *bytes;
};

int xc_key_size(const char *arg, char **error);
int xc_key_init(struct xc_key *key, unsigned int size);
int xc_key_load(struct xc_key *key, const char *arg, char **error);
void xc_key_wipe(struct xc_key *key);
void xc_key_exit(struct xc_key *key);
void xc_key_clear_arg(char *arg);

/* ---- iv/: one generator a file ------------------------------------------ */

/* Longer than any IV of the kernel's ciphers (Adiantum and HCTR2 have 32). */
#define XC_MAX_IV_SIZE 64
/* The IV of XTS: a block of AES. */
#define XC_XTS_IV_SIZE 16

/**
 * struct xc_key_layout - how the bytes of a key are shared out
 * @size: bytes of the whole key
 * @tfms: number of ciphers; a power of two
 * @parts: number of parts that the key consists of, for reporting
 * @extra: bytes at the end that belong to the IV generator
 * @mac: bytes at the end of the cipher's key that are an HMAC key
 */
struct xc_key_layout {
	unsigned int size;
	unsigned int tfms;
	unsigned int parts;
	unsigned int extra;
	unsigned int mac;
};

/**
 * xc_subkey_size() - how much of a key one cipher takes
 * @layout: layout of the whole key
 *
 * Return: that number of bytes.
 */
static inline unsigned int xc_subkey_size(const struct xc_key_layout *layout)
{
	return (layout->size - layout->extra) / layout->tfms;
}

struct xc_iv;

/**
 * struct xc_iv_call - one sector, as an IV generator sees it
 * @sector: the number that the IV is made from
 * @src: the sector before the cipher, in one page
 * @dst: the sector after the cipher, in one page; may be @src
 * @encrypt: direction
 */
struct xc_iv_call {
	u64 sector;
	struct scatterlist *src;
	struct scatterlist *dst;
	bool encrypt;
};

/**
 * struct xc_iv_ops - an IV generator
 * @name: as in a table line
 * @preprocess: before encryption, generate() fills ``dst`` from ``src`` and
 *	the cipher then works in place on ``dst``
 * @from_data: IVs are made from the plaintext, which must not change between
 *	generate() and the cipher
 * @stored: IVs cannot be computed again and are kept with the tag
 * @layout: (optional) claim a part of the key; may sleep
 * @create: (optional) check that the generator fits the cipher and allocate;
 *	may sleep.  What fails leaves nothing to destroy().
 * @destroy: (optional) undo create(), wiping what it held; may sleep
 * @set_key: (optional) take this generator's part of the key; may sleep
 * @wipe: (optional) forget it; may sleep
 * @generate: write the IV of a sector; any context but hard interrupt
 * @post: (optional) what remains to be done once the cipher has run; any
 *	context but hard interrupt
 * @fill: (optional) write ``count`` IVs of 16 bytes, of numbers that are
 *	``step`` apart and then shifted right by ``shift``; for generators to
 *	which the number is all, in any context
 */
struct xc_iv_ops {
	const char *name;
	bool preprocess;
	bool from_data;
	bool stored;
	int (*layout)(struct xc_iv *iv, struct xc_key_layout *layout,
		      char **error);
	int (*create)(struct xc_iv *iv, const struct xc_key_layout *layout,
		      char **error);
	void (*destroy)(struct xc_iv *iv);
	int (*set_key)(struct xc_iv *iv, const u8 *key,
		       const struct xc_key_layout *layout);
	void (*wipe)(struct xc_iv *iv);
	int (*generate)(const struct xc_iv *iv, u8 *out,
			const struct xc_iv_call *call);
	void (*post)(const struct xc_iv *iv, u8 *out,
		     const struct xc_iv_call *call);
	void (*fill)(const struct xc_iv *iv, u8 *out, u64 sector,
		     unsigned int step, unsigned int shift, unsigned int count);
};

/**
 * struct xc_iv - an IV generator bound to a cipher
 * @ops: the generator; NULL where the cipher takes no IV or none was named:
 *	the IV is zero then
 * @alg: name of the cipher's algorithm in the crypto API
 * @size: bytes in an IV; at least 8 where there is one
 * @block_size: bytes in a block of the cipher
 * @sector_size: bytes in an encryption sector
 * @aead: the cipher authenticates
 * @priv: the generator's own
 */
struct xc_iv {
	const struct xc_iv_ops *ops;
	const char *alg;
	unsigned int size;
	unsigned int block_size;
	unsigned int sector_size;
	bool aead;
	void *priv;
};

extern const struct xc_iv_ops xc_iv_benbi;
extern const struct xc_iv_ops xc_iv_eboiv;
extern const struct xc_iv_ops xc_iv_elephant;
extern const struct xc_iv_ops xc_iv_essiv;
extern const struct xc_iv_ops xc_iv_lmk;
extern const struct xc_iv_ops xc_iv_null;
extern const struct xc_iv_ops xc_iv_plain;
extern const struct xc_iv_ops xc_iv_plain64;
extern const struct xc_iv_ops xc_iv_plain64be;
extern const struct xc_iv_ops xc_iv_random;
extern const struct xc_iv_ops xc_iv_tcw;

const struct xc_iv_ops *xc_iv_find(const char *name);
void *xc_iv_map(struct scatterlist *sg);
int xc_eboiv_create(struct xc_iv *iv, struct crypto_sync_skcipher **tfm,
		    char **error);
int xc_eboiv_generate(const struct xc_iv *iv, struct crypto_sync_skcipher *tfm,
		      u8 *out, u64 sector);

/* ---- cipher/: keys and ciphers of a volume, and engines ------------------ */

struct xc_engine;
struct xc_xts_impl;
struct xc_xts_key;

/**
 * struct xc_cipher - everything that turns plaintext of a volume to ciphertext
 * @spec: the cipher specification, as in the table
 * @engine: how sectors are brought to the cipher
 * @skcipher: one handle a key, where there is no @aead
 * @aead: the handle of an authenticating cipher, else NULL
 * @async: requests may complete later
 * @rereads: plaintext may be read more than once, and must not change meanwhile
 * @iv: the IV generator
 * @iv_offset: added to sector numbers for the IV, in 512-byte sectors
 * @large_iv: count IVs in encryption sectors, not in 512 bytes
 * @sector_size: bytes in an encryption sector
 * @sector_shift: the same, as binary logarithm of 512-byte sectors
 * @layout: how @key is shared out
 * @key: the key
 * @key_valid: the ciphers hold the key
 * @authenc_key: room for the form in which authenc() takes its keys, or NULL
 * @auth_size: bytes of authentication tag a sector
 * @iv_stored: bytes of IV kept beside the tag
 * @tuple_size: bytes of metadata a sector on the device below
 * @requests: engine:api: &struct xc_request, for what an asynchronous cipher is
 *	given
 * @xts: engine:batch: round keys
 *
 * It knows nothing of devices and bios' ways, so a volume may hold two.
 */
struct xc_cipher {
	char *spec;
	const struct xc_engine *engine;
	struct crypto_skcipher **skcipher;
	struct crypto_aead *aead;
	bool async;
	bool rereads;
	struct xc_iv iv;
	u64 iv_offset;
	bool large_iv;
	unsigned int sector_size;
	unsigned int sector_shift;
	struct xc_key_layout layout;
	struct xc_key key;
	bool key_valid;
	void *authenc_key;
	unsigned int auth_size;
	unsigned int iv_stored;
	unsigned int tuple_size;
	mempool_t requests;
	struct xc_xts_key *xts;
};

struct xc_cipher *xc_cipher_create(const struct xc_table *table, char **error);
void xc_cipher_destroy(struct xc_cipher *cipher);
int xc_cipher_set_key(struct xc_cipher *cipher, char **error);
int xc_cipher_wipe_key(struct xc_cipher *cipher);
int xc_cipher_set_tuple(struct xc_cipher *cipher, unsigned int tuple_size,
			unsigned int tag_size, char **error);

/**
 * struct xc_run - a run of encryption sectors on their way through a cipher
 * @cipher: the cipher
 * @src: where the sectors come from
 * @dst: where they go; may be @src
 * @src_iter: what is left of @src
 * @dst_iter: what is left of @dst
 * @sector: the next sector, counted from the start of the mapping
 * @tuple: metadata of the next sector, NULL where there is none
 * @encrypt: direction; decryption is always in place
 * @own: memory for one &struct xc_request, part of the bio's private data
 * @request: a request that is free to be used, or NULL
 * @status: the first error
 * @bad_tag: that error was a wrong authentication tag
 * @bad_sector: the sector it was found in
 * @backlogged: the driver's queue was full and has not said yet that it is not
 * @pending: sectors in the hands of the driver, and one for the submitter
 * @restart: completed when the driver takes requests again
 * @done: called once when the last sector is done after xc_run() said
 *	%XC_RUN_PENDING, in the context of the driver's completion
 *
 * Vectors of @src and @dst are such that each sector lies in one page.
 */
struct xc_run {
	struct xc_cipher *cipher;
	struct bio *src;
	struct bio *dst;
	struct bvec_iter src_iter;
	struct bvec_iter dst_iter;
	sector_t sector;
	u8 *tuple;
	bool encrypt;
	void *own;
	void *request;
	blk_status_t status;
	bool bad_tag;
	sector_t bad_sector;
	bool backlogged;
	atomic_t pending;
	struct completion restart;
	void (*done)(struct xc_run *run);
};

/**
 * enum xc_result - how far a run got
 * @XC_RUN_DONE: to its end; see xc_run.status
 * @XC_RUN_PENDING: all is with the driver; xc_run.done() will be or was called
 * @XC_RUN_AGAIN: it must wait; call again from where it may sleep
 */
enum xc_result {
	XC_RUN_DONE,
	XC_RUN_PENDING,
	XC_RUN_AGAIN,
};

/**
 * struct xc_engine - a way of bringing sectors to a cipher
 * @name: as in a table line and in the status
 * @inline_softirq: most bytes to be enciphered where a softirq brings them;
 *	more would keep others waiting for too long
 * @inline_task: the same, where a task does
 * @create: set up what the engine keeps in a cipher; may sleep.  What fails is
 *	cleaned up by destroy().
 * @destroy: undo create(); may sleep
 * @set_key: (optional) take the key as well, which the crypto API has found
 *	good; may sleep
 * @wipe: (optional) forget it; may sleep
 * @request_size: bytes that a run needs at xc_run.own
 * @run: take a run as far as it will go.  May be called in softirq context
 *	with @may_sleep false; never waits for memory then.
 * @divisible: (optional) parts of a run may be taken at the same time, from
 *	here and now, and none of them will be pending
 */
struct xc_engine {
	const char *name;
	unsigned int inline_softirq;
	unsigned int inline_task;
	int (*create)(struct xc_cipher *cipher);
	void (*destroy)(struct xc_cipher *cipher);
	void (*set_key)(struct xc_cipher *cipher, const u8 *key);
	void (*wipe)(struct xc_cipher *cipher);
	unsigned int (*request_size)(const struct xc_cipher *cipher);
	enum xc_result (*run)(struct xc_run *run, bool may_sleep);
	bool (*divisible)(void);
};

extern const struct xc_engine xc_api_engine;
extern const struct xc_engine xc_batch_engine;

void xc_run_init(struct xc_run *run, struct xc_cipher *cipher, bool encrypt,
		 struct bio *src, struct bio *dst, sector_t sector, u8 *tags);
void xc_run_skip(struct xc_run *run, unsigned int bytes);
void xc_run_cut(struct xc_run *run, unsigned int bytes);
enum xc_result xc_run(struct xc_run *run, bool may_sleep);
void xc_run_sync(struct xc_run *run);

void xc_batch_init(void);
const char *xc_batch_hindrance(const struct xc_cipher *cipher,
			       const struct xc_spec *spec);
bool xc_batch_check(const struct xc_xts_impl *impl);

/**
 * struct xc_request - one sector in the hands of the crypto API
 * @run: the run it belongs to
 * @tuple: the sector's metadata on the device below, or NULL
 * @call: the sector as the IV generator sees it
 * @aad_sector: the sector's number as authenticated, little-endian
 * @src: the request's source; data alone, or number, IV, data and tag
 * @dst: the request's destination, likewise
 * @iv: the IV, used up by the cipher
 * @org_iv: the IV as generated, which is authenticated
 *
 * A struct skcipher_request or aead_request of the cipher's size follows.
 */
struct xc_request {
	struct xc_run *run;
	u8 *tuple;
	struct xc_iv_call call;
	__le64 aad_sector;
	struct scatterlist src[4];
	struct scatterlist dst[4];
	u8 iv[XC_MAX_IV_SIZE] __aligned(8);
	u8 org_iv[XC_MAX_IV_SIZE] __aligned(8);
};

/**
 * xc_crypto_request() - the crypto API's request behind ours
 * @req: our request
 *
 * Return: it, aligned as the crypto API wants it.
 */
static inline void *xc_crypto_request(struct xc_request *req)
{
	return PTR_ALIGN((void *)(req + 1), ARCH_KMALLOC_MINALIGN);
}

struct scatterlist *xc_request_init(struct xc_request *req,
				    struct xc_run *run);
int xc_request_make_iv(struct xc_request *req);
int xc_aead_start(struct xc_request *req, struct aead_request *areq);

/* ---- stats/: what can be seen of a volume -------------------------------- */

/**
 * struct xc_stats - what a volume has done, one for each CPU
 * @bios: bios taken, by direction; counted in process context alone
 * @sectors: their length in 512-byte sectors, likewise
 * @spread: bios enciphered in a workqueue, not where they came
 * @helped: CPUs that came to help with a bio and found something to do
 * @errors: bios that ended with an error
 * @mismatches: writes failed by verify_writes
 */
struct xc_stats {
	u64 bios[2];
	u64 sectors[2];
	u64 spread;
	u64 helped;
	u64 errors;
	u64 mismatches;
};

/* Two to an octave; what takes 3 * 2^38 ns or longer is in the last one. */
#define XC_BUCKETS 80

/**
 * struct xc_histogram - how long something took, how often
 * @sum: all of it together, in ns
 * @buckets: how often, by xc_bucket()
 */
struct xc_histogram {
	u64 sum;
	u64 buckets[XC_BUCKETS];
};

/**
 * enum xc_phase - where a bio spends its time
 * @XC_WAIT: on a workqueue, until a CPU takes it from there
 * @XC_CIPHER: in the cipher, or in the hands of its driver
 * @XC_DEVICE: in the device below
 * @XC_PHASES: how many there are
 * @XC_NOWHERE: in none of them
 */
enum xc_phase {
	XC_WAIT,
	XC_CIPHER,
	XC_DEVICE,
	XC_PHASES,
	XC_NOWHERE = XC_PHASES,
};

/**
 * struct xc_times - time that bios have spent, one for each CPU
 * @dice: decides which bios are timed
 * @phases: every stay of such a bio in a phase, by direction
 */
struct xc_times {
	u32 dice;
	struct xc_histogram phases[2][XC_PHASES];
};

/* One bio in so many is timed. */
#define XC_SAMPLED 32

struct xc_io;

unsigned int xc_bucket(u64 ns);
u64 xc_bucket_start(unsigned int bucket);
void xc_histogram_add(struct xc_histogram __percpu *histogram, u64 ns);
unsigned int xc_histogram_print(struct xc_histogram __percpu *histogram,
				char *result, unsigned int maxlen);

void xc_stats_map(struct xc_io *io);
void xc_stats_queue(struct xc_io *io, const char *queue);
void xc_stats_enter(struct xc_io *io, enum xc_phase phase);
void xc_stats_end(struct xc_io *io, blk_status_t status);

void xc_status_print(const struct xc_volume *vol, char *result,
		     unsigned int maxlen);
void xc_times_print(const struct xc_volume *vol, char *result,
		    unsigned int maxlen);

/* ---- io/: the way of a read and of a write ------------------------------- */

/**
 * struct xc_volume - a mapped device, or one segment of it
 * @dev: the device below
 * @start: first sector used of it
 * @opt: the table's optional parameters
 * @cipher: keys and ciphers
 * @suspended: no bio is on its way; keys may be changed
 * @key_lock: held by who changes @suspended or the key, and who looks at them
 * @ordered: writes must reach the device below in the order they arrived
 * @sorted: writes are sorted by sector for a rotating disk
 * @io_size: bytes of private data that each bio needs
 * @id: tells the workqueues of two tables of one device apart
 * @crypt_wq: enciphers; work on it never waits for memory of a pool
 * @memory_wq: for what must wait for memory of a pool
 * @submit_wq: sends enciphered writes down; never waits for memory of a pool
 * @bh_wq: for reads that complete with interrupts off; must not sleep
 * @to_submit: writes that @submit_work will send down
 * @submit_work: work item of @submit_wq
 * @deferred: writes of an ordered volume that wait on @memory_wq
 * @bios: bios for the device below
 * @tags: buffers for the metadata of a bio, when kmalloc() had none
 * @tags_sectors: sectors whose metadata fits a buffer of @tags
 * @helpers: work items of io/share.c that no CPU has begun
 * @pages: pages for enciphered data
 * @pages_used: how many of them are in use
 * @pages_lock: held by the one who waits for @pages
 * @stats: counters
 * @times: time that bios have spent
 */
struct xc_volume {
	struct dm_dev *dev;
	sector_t start;
	struct xc_options opt;
	struct xc_cipher *cipher;
	bool suspended;
	struct mutex key_lock;	/* suspended, cipher->key, cipher->key_valid */
	bool ordered;
	bool sorted;
	unsigned int io_size;
	int id;

	struct workqueue_struct *crypt_wq;
	struct workqueue_struct *memory_wq;
	struct workqueue_struct *submit_wq;
	struct workqueue_struct *bh_wq;
	struct llist_head to_submit;
	struct work_struct submit_work;
	atomic_t deferred;
	atomic_t helpers;

	struct bio_set bios;
	mempool_t tags;
	unsigned int tags_sectors;
	mempool_t pages;
	struct percpu_counter pages_used;
	struct mutex pages_lock;	/* whoever waits for pages, alone */

	struct xc_stats __percpu *stats;
	struct xc_times __percpu *times;
};

/* CPUs that may help with one bio. */
#define XC_HELPERS 3

/**
 * struct xc_helper - a CPU that may help with a bio
 * @work: in xc_volume.crypt_wq
 * @io: the bio on its way
 */
struct xc_helper {
	struct work_struct work;
	struct xc_io *io;
};

/**
 * struct xc_io - a bio on its way
 * @vol: the volume
 * @base: the bio that was submitted to the volume
 * @lower: the bio sent to the device below
 * @plain: verify_writes: a private copy of the plaintext, else NULL
 * @scratch: verify_writes: room to decipher what was enciphered
 * @sector: first sector, counted from the start of the mapping
 * @tags: metadata of the bio's sectors, NULL where there is none
 * @tags_pooled: @tags comes from xc_volume.tags
 * @bounce: (reads) go through private pages
 * @end_io: (reads) who is to be called when @base has ended
 * @iter: (reads) the iterator of @base, which the device below uses up
 * @bdev: (reads) the device of @base, which it is sent away from
 * @timed: is one of those whose time is taken
 * @phase: where it is, see &enum xc_phase
 * @since: since when, in ns (only where @timed)
 * @work: for whichever workqueue it is handed to
 * @work_fn: what to do there
 * @node: in xc_volume.to_submit
 * @sorted: among those taken from there
 * @run: its way through the cipher
 * @taken: bytes of @run that somebody has taken on
 * @helper: those who may help with it
 *
 * Lies in the private data of @base.  A &struct xc_request follows.
 */
struct xc_io {
	struct xc_volume *vol;
	struct bio *base;
	struct bio *lower;
	struct bio *plain;
	struct bio *scratch;
	sector_t sector;
	u8 *tags;
	bool tags_pooled;
	bool bounce;
	bio_end_io_t *end_io;
	struct bvec_iter iter;
	struct block_device *bdev;
	bool timed;
	u8 phase;
	u64 since;
	struct work_struct work;
	work_func_t work_fn;
	union {
		struct llist_node node;
		struct list_head sorted;
	};
	struct xc_run run;
	atomic_t taken;
	struct xc_helper helper[XC_HELPERS];
};

int xc_volume_init(struct xc_volume *vol, const char *name, char **error);
void xc_volume_exit(struct xc_volume *vol);
unsigned int xc_max_buffer_size(const struct xc_volume *vol);
int xc_map(struct xc_volume *vol, struct bio *bio, sector_t sector);

void xc_read_start(struct xc_io *io);
void xc_write_start(struct xc_io *io);
void xc_io_end(struct xc_io *io, blk_status_t status);

int xc_buffers_init(struct xc_volume *vol, char **error);
void xc_buffers_exit(struct xc_volume *vol);
int xc_buffers_get(struct xc_io *io, gfp_t gfp, struct bio **bios,
		   unsigned int count);
void xc_buffer_put(struct xc_volume *vol, struct bio *bio);
void xc_buffer_put_plaintext(struct xc_volume *vol, struct bio *bio);
struct bio *xc_clone(struct xc_io *io, gfp_t gfp);

int xc_tags_init(struct xc_volume *vol, char **error);
void xc_tags_exit(struct xc_volume *vol);
bool xc_tags_get(struct xc_io *io, gfp_t gfp);
void xc_tags_put(struct xc_io *io);
int xc_tags_attach(struct xc_io *io, struct bio *bio, gfp_t gfp);

int xc_queues_init(struct xc_volume *vol, const char *name, char **error);
void xc_queues_exit(struct xc_volume *vol);
bool xc_runs_inline(const struct xc_volume *vol, const struct bio *bio);
void xc_queue_crypt(struct xc_io *io, work_func_t fn);
void xc_queue_memory(struct xc_io *io, work_func_t fn);
void xc_queue_submit(struct xc_io *io, work_func_t fn);
void xc_queue_bh(struct xc_io *io, work_func_t fn);
void xc_submit(struct xc_io *io);

bool xc_may_share(const struct xc_volume *vol, bool write);
enum xc_result xc_run_shared(struct xc_io *io, bool may_sleep);

#endif
