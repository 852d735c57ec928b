-- Version 3 packs the bodies of new records (body.rs), and keeps what a list was held to.

ALTER TABLE run ADD COLUMN guards TEXT;  -- as flags
