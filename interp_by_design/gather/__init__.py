"""One pass over a data set; what comes out is what every analysis reads. Knows nothing of training or figures."""

from interp_by_design.gather.interpretation_table import class_mean_images, interpretation_table

__all__ = ["class_mean_images", "interpretation_table"]
