"""The seed's rollback handler as a module that workers may import. Importing it subscribes."""

from __future__ import annotations

from tests import seed_blocks

eval(
    compile(seed_blocks.block("Automatic Rollback Handler").python, __file__, "exec"),
    globals(),
)
