"""Small vision transformers, trained on distorted digits."""
