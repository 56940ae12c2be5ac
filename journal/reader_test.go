package journal

import "time"

var future = time.Unix(1<<40, 0)
