"""Small vision transformers: a space for `benchmark build` on distorted digits."""
