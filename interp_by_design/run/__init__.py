"""One configured run: train, resume, load; the owner of the run folder."""

import lazy_loader
from omegaconf import OmegaConf

FORMAT = 2  # of the run folder: 2 since the packages were renamed, 1 in version 0.1.0

# In conf/train.yaml: a resumed run goes on in its own folder.
OmegaConf.register_new_resolver(
    "run_folder", lambda resume, fresh: fresh if resume is None else resume, replace=True
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*__all__, "FORMAT"]
