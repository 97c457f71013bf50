"""The detector's losses."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

BEST = 3
"""Cells that a tag without a place is looked for in: the best few."""


def allowed_loss(logits: Float[Array, "*n k"], allowed: Bool[Array, "*n k"]) -> Float[Array, "*n"]:
    """Minus the log of the probability of all allowed outputs together; 0 where none is."""
    log_p = jax.nn.log_softmax(logits)
    some = allowed.any(-1)
    # Where none is allowed all are, so that no infinity enters the gradient.
    together = jax.nn.logsumexp(jnp.where(allowed | ~some[..., None], log_p, -jnp.inf), axis=-1)
    return jnp.where(some, -together, 0.0)


def weighted_mean(values: Float[Array, "*n"], weights: Float[Array, "*n"]) -> Float[Array, ""]:
    """Mean of the values by their weights; 0 where all weights are."""
    return (values * weights).sum() / jnp.maximum(weights.sum(), 1e-3)


def generalised_iou(a: Float[Array, "*n 4"], b: Float[Array, "*n 4"]) -> Float[Array, "*n"]:
    """Intersection over union less the share of the common hull that neither box covers; -1..1.

    Rezatofighi et al., "Generalized Intersection over Union" (2019). Boxes are x0, y0, x1, y1.
    """

    def area(low: Array, high: Array) -> Array:
        return jnp.maximum(high - low, 0.0).prod(-1)

    low_a, high_a, low_b, high_b = a[..., :2], a[..., 2:], b[..., :2], b[..., 2:]
    common = area(jnp.maximum(low_a, low_b), jnp.minimum(high_a, high_b))
    union = area(low_a, high_a) + area(low_b, high_b) - common
    hull = area(jnp.minimum(low_a, low_b), jnp.maximum(high_a, high_b))
    union, hull = jnp.maximum(union, 1e-6), jnp.maximum(hull, 1e-6)
    return common / union - (hull - union) / hull


def tag_loss(
    logits: Float[Array, "n rows columns k"],
    tags: Bool[Array, "n tags k"],
    absent: Bool[Array, "n k"],
) -> Float[Array, " n"]:
    """What tags of whole photos teach: each tag's garment is somewhere, others are nowhere.

    Args:
        logits: Logits of the cells.
        tags: Outputs that count as right for each tag; rows of nothing for no tag.
        absent: Outputs that no tag of the photo allows.

    Returns:
        Mean over the tags of minus the log of the mean probability in the `BEST` cells, and minus
        the log of the probability that no cell shows what is absent, of the likeliest cell.
    """
    p = jax.nn.softmax(logits).reshape(len(logits), -1, logits.shape[-1])
    of_tags = jnp.einsum("nck,ntk->ntc", p, tags.astype(p.dtype))
    best = jax.lax.top_k(of_tags, min(BEST, of_tags.shape[-1]))[0].mean(-1)
    some = tags.any(-1)
    present = jnp.where(some, -jnp.log(best + 1e-4), 0.0).sum(-1) / jnp.maximum(some.sum(-1), 1)
    nowhere = jnp.where(absent, -jnp.log(1 + 1e-4 - p.max(1)), 0.0)
    return present + nowhere.sum(-1) / jnp.maximum(absent.sum(-1), 1)
