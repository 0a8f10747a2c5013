# SPDX-License-Identifier: GPL-2.0-only
# The rows of test/bench/costs (jq -s) with what each costs over nothing and over its floor.
. as $rows
| def cost($configuration; $workload):
	first($rows[] | select(.configuration == $configuration and .workload == $workload)) | .instructions;
  def round4: . * 10000 | round / 10000;
$rows | map(
	cost("nothing"; .workload) as $nothing
	| cost(.floor; .workload) as $floor
	| . + {
		over_nothing: (.instructions - $nothing),
		over_floor: (.instructions - $floor),
		ratio_to_nothing: (.instructions / $nothing | round4),
		ratio_to_floor: (.instructions / $floor | round4)
	})
