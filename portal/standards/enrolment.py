"""What the statuses of XSDQZT (JY/T 1001) mean for a record: whether it has ended, and whether its pupil sits in a class."""

from __future__ import annotations

STATUS = "enrolment_status"  # the register's column
TERMINAL = frozenset({"03", "14"})  # 退学, 开除: ended by a decision, never to be opened again
LEFT = TERMINAL | {"07", "08", "09", "10", "11"}  # with 毕业, 结业, 肄业, 转出, 死亡: in no class any more
