"""What networks learn from: Fashion-MNIST, labelled photos, and their augmentation."""
