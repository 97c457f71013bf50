"""What the tests are made of: photos, exports, databases, a classifier, a desk."""
