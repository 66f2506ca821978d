-- payment: the job that makes an attempt's call: an answer that waited for it is made anew from what that attempt was for.
-- SPDX-License-Identifier: Apache-2.0

ALTER TABLE payment_attempt ADD COLUMN job INTEGER;
CREATE UNIQUE INDEX payment_attempt_job ON payment_attempt (job) WHERE job IS NOT NULL;
