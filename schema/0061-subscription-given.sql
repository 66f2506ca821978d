-- What a fan's subscriptions give is asked with each page of posts: answered from the index alone.
-- SPDX-License-Identifier: Apache-2.0
CREATE INDEX subscription_given ON subscription (fan, creator, access_until, tier)
    WHERE state IN ('active', 'past_due');
DROP INDEX subscription_access;
