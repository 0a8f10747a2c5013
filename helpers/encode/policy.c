// SPDX-License-Identifier: GPL-2.0-only
/*
 * policy.c: policies, sets of rules by name; see encode.h.
 *
 * What programs read of one is in the state, so it changes with the commit that brings
 * its rules. Name and reason are one text, which is written anew under another number
 * when one of them changes: until the commit the old one stands.
 */
#include <stdlib.h>
#include <string.h>
#include "encode.h"

static char *name_of[POLICIES], *reason_of[POLICIES]; /* as they will be */
static bool known;

static void policies_load(void)
{
	if (known)
		return;
	known = true;
	for (__u32 i = 0; i < POLICIES; i++) {
		const struct policy *p = &m.s.policy[i];
		char *text;

		name_of[i] = strdup(i ? "" : MANUAL);
		reason_of[i] = strdup("");
		if (!name_of[i] || !reason_of[i])
			die(EX_FAILED, "out of memory");
		if (!(p->flags & POLICY_USED) || !p->text)
			continue;
		text = text_read(p->text, TEXT_POLICY, p->name_len + p->reason_len);
		name_of[i] = strndup(text, p->name_len);
		reason_of[i] = strndup(text + p->name_len, p->reason_len);
		free(text);
		if (!name_of[i] || !reason_of[i])
			die(EX_FAILED, "out of memory");
	}
}

const char *policy_name(__u32 policy)
{
	policies_load();
	return policy < POLICIES ? name_of[policy] : "";
}

bool policy_used(__u32 policy)
{
	return !policy || next.policy[policy].flags & POLICY_USED;
}

int policy_find(const char *name)
{
	policies_load();
	for (__u32 i = 0; i < POLICIES; i++)
		if (policy_used(i) && !strcmp(name_of[i], name))
			return i;
	return -1;
}

__u32 policy_make(const char *name)
{
	int found = policy_find(name);
	__u32 i;

	if (found >= 0)
		return found;
	/* Not the place of one that goes now: its rules hold until the commit. */
	for (i = 1; i < POLICIES; i++)
		if (!policy_used(i) && !(m.s.policy[i].flags & POLICY_USED))
			break;
	if (i == POLICIES)
		die(EX_FAILED, "more than %d policies: nothing was changed", POLICIES);
	next.policy[i] = (struct policy){ .flags = POLICY_USED };
	name_of[i] = strdup(name);
	reason_of[i] = strdup("");
	if (!name_of[i] || !reason_of[i])
		die(EX_FAILED, "out of memory");
	return i;
}

void policy_set(__u32 policy, bool monitor, __u64 until)
{
	struct policy *p = &next.policy[policy];

	p->flags = POLICY_USED | (monitor ? POLICY_MONITOR : 0);
	p->until = until;
}

void policy_explain(__u32 policy, const char *reason)
{
	struct policy *p = &next.policy[policy];

	policies_load();
	if (p->text && !strcmp(reason_of[policy], reason))
		return;
	if (!policy && !*reason && !p->text)
		return; /* `manual` needs no text */
	reason_of[policy] = strdup(reason);
	if (!reason_of[policy])
		die(EX_FAILED, "out of memory");
	p->name_len = strlen(name_of[policy]);
	p->reason_len = strlen(reason);
	p->text = ++next.next_policy;
}

void policy_goes(__u32 policy)
{
	policies_load();
	/* `manual` stays, as it was at the beginning */
	memset(&next.policy[policy], 0, sizeof(next.policy[policy]));
}

bool policy_changed(__u32 policy)
{
	return memcmp(&next.policy[policy], &m.s.policy[policy], sizeof(struct policy));
}

bool policies_changed(void)
{
	return memcmp(next.policy, m.s.policy, sizeof(next.policy));
}

__u32 policy_parts(const struct policy *p)
{
	return p->flags & POLICY_USED && p->text ? parts(p->name_len + p->reason_len)
						 : 0;
}

static bool text_moves(__u32 i)
{
	return next.policy[i].text != m.s.policy[i].text;
}

__u32 policies_parts_new(void)
{
	__u32 n = 0;

	for (__u32 i = 0; i < POLICIES; i++)
		if (text_moves(i))
			n += policy_parts(&next.policy[i]);
	return n;
}

__u32 policies_parts_old(void)
{
	__u32 n = 0;

	for (__u32 i = 0; i < POLICIES; i++)
		if (text_moves(i))
			n += policy_parts(&m.s.policy[i]);
	return n;
}

void lines_policies(void)
{
	for (__u32 i = 0; i < POLICIES; i++) {
		char text[POLICY_NAME + REASON_LIMIT];
		const struct policy *p = &next.policy[i];

		if (!text_moves(i) || !policy_parts(p))
			continue;
		memcpy(text, name_of[i], p->name_len);
		memcpy(text + p->name_len, reason_of[i], p->reason_len);
		lines_text(p->text, TEXT_POLICY, text, p->name_len + p->reason_len);
	}
}

void lines_policies_out(void)
{
	for (__u32 i = 0; i < POLICIES; i++)
		if (text_moves(i))
			lines_delete_text(m.s.policy[i].text, TEXT_POLICY,
					  policy_parts(&m.s.policy[i]));
}
