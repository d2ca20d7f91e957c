"""Small vision transformers, trained on distorted digits by `benchmark build`."""
