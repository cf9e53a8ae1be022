// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cipher that misbehaves on request: skcipher "xcrypt-toy", which xors data
 * with key and IV (16 bytes each).  It tests dm-xcrypt with a cipher that
 * fails, that computes wrongly, that completes later, in softirq context, or
 * whose queue is full.  It protects nothing.
 *
 * Parameters, all writable:
 *   corrupt	flip a bit of every Nth encryption; 0: never
 *   fail	let every Nth request fail with -EIO; 0: never
 *   async	complete later, in softirq context
 *   room	how many requests it queues before it returns -EBUSY
 *   hold	complete nothing until this is 0 again
 *
 * and read-only, in the same folder: backlogged counts the -EBUSYs, queued is
 * the number of pending requests.
 */
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <crypto/algapi.h>
#include <crypto/internal/skcipher.h>
#include <crypto/scatterwalk.h>

#define TOY_SIZE 16
#define TOY_MAX_DATA 4096

static unsigned int corrupt;
module_param(corrupt, uint, 0644);
static unsigned int fail;
module_param(fail, uint, 0644);
static bool async;
module_param(async, bool, 0644);
static unsigned int room = 16;
module_param(room, uint, 0644);
static unsigned int backlogged;
module_param(backlogged, uint, 0444);
static unsigned int queued;
module_param(queued, uint, 0444);

struct toy_key {
	u8 key[TOY_SIZE];
};

struct toy_request {
	struct list_head list;
	bool encrypt;
	bool was_backlogged;
};

static atomic_t encryptions = ATOMIC_INIT(0);
static atomic_t requests = ATOMIC_INIT(0);

static DEFINE_SPINLOCK(queue_lock);
static LIST_HEAD(queue);

static int toy_setkey(struct crypto_skcipher *tfm, const u8 *key,
		      unsigned int len)
{
	struct toy_key *ctx = crypto_skcipher_ctx(tfm);

	memcpy(ctx->key, key, TOY_SIZE);
	return 0;
}

static bool every(unsigned int n, atomic_t *counter)
{
	return n && atomic_inc_return(counter) % n == 0;
}

static int toy_crypt(struct skcipher_request *req, bool encrypt)
{
	struct toy_key *ctx = crypto_skcipher_ctx(crypto_skcipher_reqtfm(req));
	unsigned int i;
	u8 *data;

	if (every(READ_ONCE(fail), &requests))
		return -EIO;

	data = kmalloc(req->cryptlen, GFP_ATOMIC);
	if (!data)
		return -ENOMEM;
	scatterwalk_map_and_copy(data, req->src, 0, req->cryptlen, 0);
	for (i = 0; i < req->cryptlen; i++)
		data[i] ^= ctx->key[i % TOY_SIZE] ^
			   ((u8 *)req->iv)[i % TOY_SIZE] ^ (i >> 4);
	if (encrypt && every(READ_ONCE(corrupt), &encryptions))
		data[req->cryptlen / 2] ^= 0x10;
	scatterwalk_map_and_copy(data, req->dst, 0, req->cryptlen, 1);
	kfree_sensitive(data);
	return 0;
}

static struct skcipher_request *of_toy(struct toy_request *toy)
{
	return container_of((void *)toy, struct skcipher_request, __ctx);
}

static void toy_answer(struct skcipher_request *req, int err)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	skcipher_request_complete(req, err);
#else
	req->base.complete(&req->base, err);
#endif
}

/* In softirq context: complete all queued requests, backlog first. */
static void toy_timer_fn(struct timer_list *timer)
{
	struct toy_request *toy, *next;
	LIST_HEAD(batch);

	spin_lock(&queue_lock);
	list_splice_init(&queue, &batch);
	queued = 0;
	spin_unlock(&queue_lock);

	list_for_each_entry_safe(toy, next, &batch, list) {
		if (toy->was_backlogged)
			toy_answer(of_toy(toy), -EINPROGRESS);
		toy_answer(of_toy(toy), toy_crypt(of_toy(toy), toy->encrypt));
	}
}

static DEFINE_TIMER(toy_timer, toy_timer_fn);

static bool hold;

static int hold_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_bool(val, kp);

	if (!err && !hold)
		mod_timer(&toy_timer, jiffies);
	return err;
}

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
	.get = param_get_bool,
};
module_param_cb(hold, &hold_ops, &hold, 0644);

static int toy_start(struct skcipher_request *req, bool encrypt)
{
	struct toy_request *toy = skcipher_request_ctx(req);
	bool busy;

	if (req->cryptlen > TOY_MAX_DATA)
		return -EINVAL;
	if (!READ_ONCE(async))
		return toy_crypt(req, encrypt);

	toy->encrypt = encrypt;
	spin_lock_bh(&queue_lock);
	busy = queued >= READ_ONCE(room);
	if (busy)
		backlogged++;
	toy->was_backlogged = busy;
	queued++;
	list_add_tail(&toy->list, &queue);
	spin_unlock_bh(&queue_lock);
	if (!READ_ONCE(hold))
		mod_timer(&toy_timer, jiffies);
	return busy ? -EBUSY : -EINPROGRESS;
}

static int toy_encrypt(struct skcipher_request *req)
{
	return toy_start(req, true);
}

static int toy_decrypt(struct skcipher_request *req)
{
	return toy_start(req, false);
}

static int toy_init(struct crypto_skcipher *tfm)
{
	crypto_skcipher_set_reqsize(tfm, sizeof(struct toy_request));
	return 0;
}

static struct skcipher_alg toy_alg = {
	/* the prefix of a mode whose plaintext dm-xcrypt does not copy */
	.base.cra_name = "ecb(xcrypt-toy)",
	.base.cra_driver_name = "xcrypt-toy",
	.base.cra_priority = 1,
	.base.cra_flags = CRYPTO_ALG_ASYNC,
	.base.cra_blocksize = TOY_SIZE,
	.base.cra_ctxsize = sizeof(struct toy_key),
	.base.cra_module = THIS_MODULE,
	.init = toy_init,
	.setkey = toy_setkey,
	.encrypt = toy_encrypt,
	.decrypt = toy_decrypt,
	.min_keysize = TOY_SIZE,
	.max_keysize = TOY_SIZE,
	.ivsize = TOY_SIZE,
};

static int __init toy_module_init(void)
{
	return crypto_register_skcipher(&toy_alg);
}

static void __exit toy_module_exit(void)
{
	crypto_unregister_skcipher(&toy_alg);
	/* the cipher has no users, so no request is queued */
	while (timer_pending(&toy_timer))
		cpu_relax();
}

module_init(toy_module_init);
module_exit(toy_module_exit);

MODULE_DESCRIPTION("A cipher that misbehaves, for tests of dm-xcrypt");
MODULE_LICENSE("GPL");
