// SPDX-License-Identifier: GPL-2.0-only
/*
 * xcrypt_bios - submits bios of any vector layout to a block device
 *
 * User space cannot make most of the bios that a file system or OpenZFS makes:
 * vectors that begin and end anywhere in a page, that span pages, that share
 * memory.  This module can.  Words written to debugfs xcrypt_bios/run are one
 * run; the write fails if anything was wrong, and the kernel log says what.
 * xcrypt_bios/result has the counts of the last run.
 *
 *   dev=PATH        block device
 *   op=             write | read (and compare) | append (zone append)
 *   layout=         see layout_names below
 *   start= sectors= the area, in 512-byte sectors
 *   unit=           bios are multiples of so many bytes (default 512)
 *   max=            bytes in a bio at most (default 65536)
 *   depth=          bios in flight (default 8)
 *   align=          granularity of a vector (default: what the device allows)
 *   seed= data=     of the layout, of the content
 *   flags=          fua,preflush,sync,meta,idle,random (random: any of them)
 *   prio=1          a random I/O priority on every bio
 *   shuffle=1       in random order
 *   split=1         every bio is cut at a random place into two chained ones
 *   repeat=1        every unit has the same content (for layout=same)
 *   scribble=1      change the memory while the bio is in flight
 *   any=1           do not look at the content
 *   fail=1          every bio must fail
 *
 * All memory a bio's vectors lie in is compared with what it must be when the
 * bio has completed: the content of a write unchanged, that of a read as it was
 * written, the bytes around the vectors untouched in both.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/ioprio.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#undef pr_fmt
#define pr_fmt(fmt) "xcrypt_bios: " fmt

#define GUARD		0xa5	/* around the vectors */
#define POISON		0x5a	/* in the vectors of a read */
#define VEC_MAX		65536u	/* bytes in one vector at most */
#define STALL_SECONDS	60

enum op { OP_WRITE, OP_READ, OP_APPEND };

static const char * const op_names[] = { "write", "read", "append" };

enum layout {
	L_PLAIN,	/* whole pages */
	L_SECTORS,	/* a few 512-byte blocks, at a multiple of 512 */
	L_ODD,		/* 4, 12, 508, 516 bytes and the like, anywhere */
	L_TINY,		/* a few bytes each */
	L_MULTI,	/* many pages in a vector */
	L_ADJACENT,	/* several odd vectors side by side in one page */
	L_MIXED,	/* any of the above for each vector */
	L_FRAGMENTS,	/* as many vectors as a bio can have, of equal length */
	L_SAME,		/* every unit in the same memory */
};

static const char * const layout_names[] = {
	"plain", "sectors", "odd", "tiny", "multi", "adjacent", "mixed",
	"fragments", "same",
};

static const struct {
	const char *name;
	blk_opf_t flag;
} flag_names[] = {
	{ "fua", REQ_FUA }, { "preflush", REQ_PREFLUSH }, { "sync", REQ_SYNC },
	{ "meta", REQ_META }, { "idle", REQ_IDLE },
};

struct job {
	const char *dev;
	int op, layout;
	u64 start, sectors, unit, max, depth, align, seed, data;
	u64 prio, shuffle, split, repeat, scribble, any, fail;
	blk_opf_t flags;
	bool random_flags;

	struct block_device *bdev;
	struct rnd_state rnd;

	spinlock_t lock;		/* protects done */
	struct list_head done;
	wait_queue_head_t wait;
	unsigned int in_flight;

	u64 bios, vectors, bytes, straddling, wrong;
};

/* Memory in which one or several vectors lie. */
struct piece {
	struct page *page;
	unsigned int order;
	u8 *expect;
};

struct vec {
	unsigned int piece, offset, len;
};

struct unit_bio {
	struct job *job;
	struct list_head list;
	sector_t sector, landed;
	unsigned int bytes, nr_pieces, nr_vecs;
	bool done;
	blk_status_t status;
	struct piece pieces[BIO_MAX_VECS];
	struct vec vecs[BIO_MAX_VECS];
};

struct extent {
	sector_t sector;
	unsigned int bytes;
};

static struct dentry *debug_dir;
static struct bio_set splits;
static DEFINE_MUTEX(result_lock);
static char result[160];

static u32 below(struct job *job, u32 n)
{
	return prandom_u32_state(&job->rnd) % n;
}

/* The finaliser of splitmix64. */
static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void fill_sector(struct job *job, sector_t sector, u64 *buf)
{
	unsigned int i;
	u64 key;

	if (job->repeat)
		sector &= (job->unit >> SECTOR_SHIFT) - 1;
	key = mix(job->data + sector * 0x9e3779b97f4a7c15ULL);
	for (i = 0; i < SECTOR_SIZE / sizeof(u64); i++)
		buf[i] = mix(key + i);
}

static unsigned int piece_size(const struct piece *piece)
{
	return PAGE_SIZE << piece->order;
}

static struct piece *add_piece(struct unit_bio *ub, unsigned int size)
{
	struct piece *piece = &ub->pieces[ub->nr_pieces];

	piece->order = get_order(size);
	piece->page = alloc_pages(GFP_KERNEL | __GFP_COMP, piece->order);
	if (!piece->page)
		return NULL;
	piece->expect = kvmalloc(piece_size(piece), GFP_KERNEL);
	if (!piece->expect) {
		__free_pages(piece->page, piece->order);
		return NULL;
	}
	memset(page_address(piece->page), GUARD, piece_size(piece));
	memset(piece->expect, GUARD, piece_size(piece));
	ub->nr_pieces++;
	return piece;
}

static void free_bio(struct unit_bio *ub)
{
	while (ub->nr_pieces) {
		struct piece *piece = &ub->pieces[--ub->nr_pieces];

		__free_pages(piece->page, piece->order);
		kvfree(piece->expect);
	}
	kvfree(ub);
}

/* Choose the next vector; rounded to what the device allows afterwards. */
static void choose(struct unit_bio *ub, enum layout layout,
		   unsigned int *offset, unsigned int *len)
{
	static const unsigned int odd[] = { 4, 12, 500, 508, 516, 1020, 4092 };
	struct job *job = ub->job;

	*offset = below(job, PAGE_SIZE);
	switch (layout) {
	case L_PLAIN:
		*offset = 0;
		*len = PAGE_SIZE;
		break;
	case L_SECTORS:
		*offset = round_down(*offset, SECTOR_SIZE);
		*len = SECTOR_SIZE * (1 + below(job, 7));
		break;
	case L_ODD:
	case L_ADJACENT:
		*len = odd[below(job, ARRAY_SIZE(odd))];
		break;
	case L_TINY:
		*len = job->align * (1 + below(job, 8));
		break;
	case L_MULTI:
		*offset = below(job, 3 * PAGE_SIZE);
		*len = PAGE_SIZE + below(job, VEC_MAX - PAGE_SIZE);
		break;
	case L_FRAGMENTS:
		*len = DIV_ROUND_UP(ub->bytes, BIO_MAX_VECS);
		break;
	default:
		*len = job->unit;
		break;
	}
}

static int add_vec(struct unit_bio *ub, unsigned int left)
{
	struct job *job = ub->job;
	enum layout layout = job->layout;
	struct vec *vec = &ub->vecs[ub->nr_vecs], *last = vec - 1;
	unsigned int offset, len, room = BIO_MAX_VECS - ub->nr_vecs;
	struct piece *piece;

	if (layout == L_MIXED)
		layout = below(job, L_MIXED);
	/* Running out of vectors: end with the largest. */
	if (layout != L_FRAGMENTS && layout != L_SAME &&
	    room <= left / VEC_MAX + 1)
		layout = L_MULTI;

	choose(ub, layout, &offset, &len);
	if (room <= left / VEC_MAX + 1)
		len = VEC_MAX;
	offset = round_down(offset, job->align);
	len = min3(roundup(len, (unsigned int)job->align), left, VEC_MAX);

	if (layout == L_SAME && ub->nr_vecs) {
		*vec = *last;
		vec->len = min(vec->len, left);
	} else if (layout == L_ADJACENT && ub->nr_vecs &&
		   last->offset + last->len + len <=
		   piece_size(&ub->pieces[last->piece])) {
		vec->piece = last->piece;
		vec->offset = last->offset + last->len;
		vec->len = len;
	} else {
		piece = add_piece(ub, offset + len);
		if (!piece)
			return -ENOMEM;
		vec->piece = piece - ub->pieces;
		vec->offset = offset;
		vec->len = len;
	}
	ub->nr_vecs++;
	return 0;
}

static u8 *vec_memory(struct unit_bio *ub, const struct vec *vec)
{
	return (u8 *)page_address(ub->pieces[vec->piece].page) + vec->offset;
}

static u8 *vec_expect(struct unit_bio *ub, const struct vec *vec)
{
	return ub->pieces[vec->piece].expect + vec->offset;
}

/* Put the content in what is expected and, of a write, in the memory too. */
static void fill_vecs(struct unit_bio *ub)
{
	struct job *job = ub->job;
	u64 buf[SECTOR_SIZE / sizeof(u64)];
	sector_t sector = ub->sector;
	unsigned int i, used = SECTOR_SIZE, done, n;

	for (i = 0; i < ub->nr_vecs; i++) {
		const struct vec *vec = &ub->vecs[i];

		for (done = 0; done < vec->len; done += n, used += n) {
			if (used == SECTOR_SIZE) {
				fill_sector(job, sector++, buf);
				used = 0;
			}
			n = min(vec->len - done, (unsigned int)SECTOR_SIZE - used);
			memcpy(vec_expect(ub, vec) + done, (u8 *)buf + used, n);
		}
		if (job->op == OP_READ)
			memset(vec_memory(ub, vec), POISON, vec->len);
		else
			memcpy(vec_memory(ub, vec), vec_expect(ub, vec), vec->len);
	}
}

static struct unit_bio *make_bio(struct job *job, const struct extent *extent)
{
	struct unit_bio *ub = kvzalloc(sizeof(*ub), GFP_KERNEL);
	unsigned int left = extent->bytes, end = 0;

	if (!ub)
		return NULL;
	ub->job = job;
	ub->sector = extent->sector;
	ub->bytes = extent->bytes;
	while (left) {
		if (ub->nr_vecs == BIO_MAX_VECS || add_vec(ub, left)) {
			free_bio(ub);
			return NULL;
		}
		left -= ub->vecs[ub->nr_vecs - 1].len;
		end += ub->vecs[ub->nr_vecs - 1].len;
		if (end & (job->unit - 1))
			job->straddling++;
	}
	fill_vecs(ub);
	return ub;
}

static void complain(struct unit_bio *ub, unsigned int nr)
{
	const struct piece *piece = &ub->pieces[nr];
	const u8 *memory = page_address(piece->page);
	unsigned int at = 0, i;

	while (memory[at] == piece->expect[at])
		at++;
	for (i = 0; i < ub->nr_vecs; i++) {
		const struct vec *vec = &ub->vecs[i];

		if (vec->piece == nr && at >= vec->offset &&
		    at < vec->offset + vec->len)
			break;
	}
	pr_err("%s of %u bytes at sector %llu: %s differs: piece %u byte %u is %02x, not %02x; vector %d of %u\n",
	       op_names[ub->job->op], ub->bytes, (u64)ub->sector,
	       i == ub->nr_vecs ? "memory around the vectors" : "content",
	       nr, at, memory[at], piece->expect[at],
	       i == ub->nr_vecs ? -1 : (int)i, ub->nr_vecs);
}

static void check_bio(struct unit_bio *ub)
{
	struct job *job = ub->job;
	unsigned int i;
	bool any = job->any || job->scribble || ub->status ||
		(job->op == OP_READ && job->layout == L_SAME);

	job->bios++;
	job->vectors += ub->nr_vecs;
	job->bytes += ub->bytes;

	if (!!ub->status != !!job->fail) {
		pr_err("%s of %u bytes at sector %llu, %u vectors: ended with %d\n",
		       op_names[job->op], ub->bytes, (u64)ub->sector,
		       ub->nr_vecs, blk_status_to_errno(ub->status));
		job->wrong++;
	}
	if (job->op == OP_APPEND && !ub->status && ub->landed != ub->sector) {
		pr_err("append to sector %llu landed at %llu\n",
		       (u64)ub->sector, (u64)ub->landed);
		job->wrong++;
	}
	for (i = 0; any && i < ub->nr_vecs; i++)
		memcpy(vec_expect(ub, &ub->vecs[i]),
		       vec_memory(ub, &ub->vecs[i]), ub->vecs[i].len);
	for (i = 0; i < ub->nr_pieces; i++) {
		struct piece *piece = &ub->pieces[i];

		if (memcmp(page_address(piece->page), piece->expect,
			   piece_size(piece))) {
			if (job->wrong++ < 10)
				complain(ub, i);
		}
	}
}

static void end_bio(struct bio *bio)
{
	struct unit_bio *ub = bio->bi_private;
	struct job *job = ub->job;
	unsigned long flags;

	ub->status = bio->bi_status;
	ub->landed = bio->bi_iter.bi_sector;
	bio_put(bio);

	spin_lock_irqsave(&job->lock, flags);
	WRITE_ONCE(ub->done, true);
	list_add_tail(&ub->list, &job->done);
	wake_up(&job->wait);
	spin_unlock_irqrestore(&job->lock, flags);
}

static bool some_done(struct job *job)
{
	bool some;

	spin_lock_irq(&job->lock);
	some = !list_empty(&job->done);
	spin_unlock_irq(&job->lock);
	return some;
}

/* Wait for a bio, whichever comes first, and look at it. */
static void reap(struct job *job)
{
	struct unit_bio *ub;

	while (!wait_event_timeout(job->wait, some_done(job), STALL_SECONDS * HZ)) {
		pr_err("no bio completed in %u s\n", STALL_SECONDS);
		job->wrong++;
	}
	spin_lock_irq(&job->lock);
	ub = list_first_entry(&job->done, struct unit_bio, list);
	list_del(&ub->list);
	spin_unlock_irq(&job->lock);

	job->in_flight--;
	check_bio(ub);
	free_bio(ub);
}

static blk_opf_t choose_flags(struct job *job)
{
	blk_opf_t opf = job->flags;
	unsigned int i;

	for (i = 0; job->random_flags && i < ARRAY_SIZE(flag_names); i++)
		if (below(job, 4) == 0)
			opf |= flag_names[i].flag;
	if (job->op == OP_READ)
		opf &= ~(REQ_FUA | REQ_PREFLUSH);
	return opf;
}

static unsigned int choose_prio(struct job *job)
{
	static const unsigned int classes[] = {
		IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE
	};

	return IOPRIO_PRIO_VALUE(classes[below(job, ARRAY_SIZE(classes))],
				 below(job, IOPRIO_NR_LEVELS));
}

static void scribble(struct unit_bio *ub)
{
	unsigned int turns = 0;

	while (!READ_ONCE(ub->done)) {
		const struct vec *vec = &ub->vecs[below(ub->job, ub->nr_vecs)];

		vec_memory(ub, vec)[below(ub->job, vec->len)] ^= 1 << (turns & 7);
		if (++turns % 64 == 0)
			usleep_range(1, 20);
		else
			cond_resched();
	}
}

static int submit(struct job *job, const struct extent *extent)
{
	static const enum req_op ops[] = {
		REQ_OP_WRITE, REQ_OP_READ, REQ_OP_ZONE_APPEND
	};
	struct unit_bio *ub = make_bio(job, extent);
	struct bio *bio, *head;
	unsigned int i, units;

	if (!ub)
		return -ENOMEM;

	bio = bio_alloc(job->bdev, ub->nr_vecs, ops[job->op] | choose_flags(job),
			GFP_KERNEL);
	bio->bi_iter.bi_sector = job->op == OP_APPEND ? job->start : ub->sector;
	bio->bi_end_io = end_bio;
	bio->bi_private = ub;
	if (job->prio)
		bio->bi_ioprio = choose_prio(job);
	for (i = 0; i < ub->nr_vecs; i++)
		__bio_add_page(bio, ub->pieces[ub->vecs[i].piece].page,
			       ub->vecs[i].len, ub->vecs[i].offset);

	job->in_flight++;
	units = ub->bytes / job->unit;
	if (job->split && units > 1) {
		head = bio_split(bio, (1 + below(job, units - 1)) *
				 (job->unit >> SECTOR_SHIFT), GFP_NOIO, &splits);
		if (!IS_ERR_OR_NULL(head)) {
			bio_chain(head, bio);
			submit_bio(head);
		}
	}
	submit_bio(bio);
	if (job->scribble)
		scribble(ub);
	return 0;
}

/* Cut the area into bios of random sizes. */
static struct extent *cut(struct job *job, unsigned int *nr)
{
	u64 left = job->sectors << SECTOR_SHIFT, i, other;
	sector_t sector = job->start;
	struct extent *extents;

	extents = kvmalloc_array(left / job->unit, sizeof(*extents), GFP_KERNEL);
	if (!extents)
		return NULL;
	for (*nr = 0; left; (*nr)++) {
		unsigned int bytes = job->max;

		if (below(job, 2))
			bytes = job->unit * (1 + below(job, job->max / job->unit));
		bytes = min_t(u64, bytes, left);
		extents[*nr].sector = sector;
		extents[*nr].bytes = bytes;
		sector += bytes >> SECTOR_SHIFT;
		left -= bytes;
	}
	for (i = *nr; job->shuffle && i > 1; i--) {
		other = below(job, i);
		swap(extents[i - 1], extents[other]);
	}
	return extents;
}

static int run(struct job *job)
{
	unsigned int i, nr;
	struct extent *extents = cut(job, &nr);
	int ret = 0;

	if (!extents)
		return -ENOMEM;
	for (i = 0; i < nr && !ret; i++) {
		while (job->in_flight >= job->depth)
			reap(job);
		ret = submit(job, &extents[i]);
	}
	while (job->in_flight)
		reap(job);
	kvfree(extents);

	mutex_lock(&result_lock);
	snprintf(result, sizeof(result),
		 "bios:%llu vectors:%llu bytes:%llu straddling:%llu wrong:%llu align:%llu\n",
		 job->bios, job->vectors, job->bytes, job->straddling,
		 job->wrong, job->align);
	mutex_unlock(&result_lock);
	if (job->wrong)
		pr_err("%llu wrong in %llu bios of %s (%s, %s, seed %llu)\n",
		       job->wrong, job->bios, job->dev, op_names[job->op],
		       layout_names[job->layout], job->seed);
	return ret ?: job->wrong ? -EIO : 0;
}

static int parse_flags(struct job *job, char *value)
{
	char *word;
	unsigned int i;

	while ((word = strsep(&value, ","))) {
		if (!strcmp(word, "random")) {
			job->random_flags = true;
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(flag_names); i++)
			if (!strcmp(word, flag_names[i].name))
				break;
		if (i == ARRAY_SIZE(flag_names))
			return -EINVAL;
		job->flags |= flag_names[i].flag;
	}
	return 0;
}

static int parse_name(const char * const *names, size_t nr, const char *value,
		      int *field)
{
	*field = match_string(names, nr, value);
	return *field < 0 ? -EINVAL : 0;
}

static int parse_word(struct job *job, char *word)
{
	const struct {
		const char *name;
		u64 *field;
	} numbers[] = {
		{ "start", &job->start }, { "sectors", &job->sectors },
		{ "unit", &job->unit }, { "max", &job->max },
		{ "depth", &job->depth }, { "align", &job->align },
		{ "seed", &job->seed }, { "data", &job->data },
		{ "prio", &job->prio }, { "shuffle", &job->shuffle },
		{ "split", &job->split }, { "repeat", &job->repeat },
		{ "scribble", &job->scribble }, { "any", &job->any },
		{ "fail", &job->fail },
	};
	char *value = strchr(word, '=');
	unsigned int i;

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(word, numbers[i].name))
			return kstrtou64(value, 0, numbers[i].field);
	if (!strcmp(word, "op"))
		return parse_name(op_names, ARRAY_SIZE(op_names), value, &job->op);
	if (!strcmp(word, "layout"))
		return parse_name(layout_names, ARRAY_SIZE(layout_names), value,
				  &job->layout);
	if (!strcmp(word, "flags"))
		return parse_flags(job, value);
	if (!strcmp(word, "dev")) {
		job->dev = value;
		return 0;
	}
	return -EINVAL;
}

static int parse(struct job *job, char *words)
{
	char *word;

	while ((word = strsep(&words, " \t\n"))) {
		if (*word && parse_word(job, word)) {
			pr_err("do not understand \"%s\"\n", word);
			return -EINVAL;
		}
	}
	if (!job->dev || !job->sectors || !job->depth ||
	    job->unit < SECTOR_SIZE || !is_power_of_2(job->unit) ||
	    job->max < job->unit || job->max > SZ_4M ||
	    (job->sectors << SECTOR_SHIFT) % job->unit) {
		pr_err("dev, sectors, depth, unit or max is missing or wrong\n");
		return -EINVAL;
	}
	if (job->layout == L_SAME)
		job->max = min(job->max, job->unit * BIO_MAX_VECS);
	job->max = round_down(job->max, job->unit);
	return 0;
}

static int open_and_run(struct job *job)
{
	struct file *file = filp_open(job->dev, O_RDWR | O_LARGEFILE, 0);
	int ret = -ENOTBLK;

	if (IS_ERR(file)) {
		pr_err("cannot open %s\n", job->dev);
		return PTR_ERR(file);
	}
	if (S_ISBLK(file_inode(file)->i_mode)) {
		job->bdev = I_BDEV(file->f_mapping->host);
		if (!job->align)
			job->align = bdev_dma_alignment(job->bdev) + 1;
		prandom_seed_state(&job->rnd, job->seed);
		ret = run(job);
	}
	filp_close(file, NULL);
	return ret;
}

static ssize_t run_write(struct file *file, const char __user *buf, size_t count,
			 loff_t *pos)
{
	struct job *job;
	char *words;
	int ret = -ENOMEM;

	words = memdup_user_nul(buf, count);
	if (IS_ERR(words))
		return PTR_ERR(words);
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (job) {
		job->unit = SECTOR_SIZE;
		job->max = SZ_64K;
		job->depth = 8;
		spin_lock_init(&job->lock);
		INIT_LIST_HEAD(&job->done);
		init_waitqueue_head(&job->wait);
		ret = parse(job, words);
		if (!ret)
			ret = open_and_run(job);
		kfree(job);
	}
	kfree(words);
	return ret ?: count;
}

static const struct file_operations run_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= run_write,
};

static ssize_t result_read(struct file *file, char __user *buf, size_t count,
			   loff_t *pos)
{
	char copy[sizeof(result)];

	mutex_lock(&result_lock);
	memcpy(copy, result, sizeof(copy));
	mutex_unlock(&result_lock);
	return simple_read_from_buffer(buf, count, pos, copy, strlen(copy));
}

static const struct file_operations result_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= result_read,
};

static int __init xcrypt_bios_init(void)
{
	int ret = bioset_init(&splits, 64, 0, 0);

	if (ret)
		return ret;
	debug_dir = debugfs_create_dir("xcrypt_bios", NULL);
	debugfs_create_file("run", 0200, debug_dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, debug_dir, NULL, &result_fops);
	return 0;
}

static void __exit xcrypt_bios_exit(void)
{
	debugfs_remove_recursive(debug_dir);
	bioset_exit(&splits);
}

module_init(xcrypt_bios_init);
module_exit(xcrypt_bios_exit);
MODULE_DESCRIPTION("Bios of any vector layout, for the tests of dm-xcrypt");
MODULE_LICENSE("GPL");
