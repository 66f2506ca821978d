/* ledger.h -- who owns which money: double entry, append-only, per currency.
 *
 * Money moves only through the named templates below; each is one journal whose entries sum to zero in its currency.
 * A template is named after the business fact it records ("charge:pay_…"), so a repeat, from whatever source, is a no-op. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICES_LEDGER_LEDGER_H
#define SERVICES_LEDGER_LEDGER_H

#include "core/module.h"

enum ledger_kind { LEDGER_SUBSCRIPTION, LEDGER_KIND_COUNT };
extern const char *const ledger_kinds[]; /* "subscription", … */

/* How a payment is shared. tax + fee + creator == gross, none negative: tax (contained in the price) and fee are rounded
 * half to even, the creator gets the rest. Basis points: 2000 is 20 %. gross >= 0, tax_bp >= 0, 0 <= fee_bp <= 10000. */
struct ledger_split {
    int64_t tax, fee, creator;
};
struct ledger_split ledger_split(int64_t gross, int64_t tax_bp, int64_t fee_bp);

/* A payment that succeeded. */
struct ledger_charge {
    struct id payment, fan, creator;
    enum ledger_kind kind;
    struct money gross;     /* what the fan paid, > 0 */
    int64_t fee_bp;         /* the platform's share, as agreed when the payment was made */
    int64_t tax_bp;         /* contained in gross; 0 until tax is levied */
    struct str provider;    /* "stripe"; none: "stripe" */
    struct str description; /* for the creator's statement */
};
/* Provider owes us gross; we owe tax, fee (ourselves) and the creator's share, pending until released. A repeat for the same
 * payment changes nothing. */
enum err ledger_charge(struct call *c, const struct ledger_charge *charge);

/* What the provider kept of a payment: our expense. A repeat changes nothing; fee 0 writes nothing. */
enum err ledger_provider_fee(struct call *c, struct id payment, struct str provider,
                             struct money fee);

/* The books, recomputed from the entries. */
struct ledger_line {
    struct str code;       /* "creator:crt_…:pending" */
    struct money balance;  /* on its normal side */
    struct money computed; /* ... from the entries */
};
struct ledger_line_list {
    struct ledger_line *v;
    size_t n;
};
struct ledger_check {
    bool good;          /* the four below are 0 */
    int64_t unbalanced; /* journals whose entries do not sum to zero in a currency (I1) */
    int64_t drifted;    /* accounts whose balance rows differ from their entries (I2) */
    int64_t overdrawn;  /* accounts below their minimum (I3) */
    int64_t misstated;  /* creators whose statements or days differ from their accounts */
    int64_t journals, entries;
    struct ledger_line_list accounts; /* trial balance by kind of account and currency */
};
enum err ledger_check(struct call *c, struct ledger_check *result);

extern const struct module ledger_module;

#endif
