# SPDX-License-Identifier: GPL-2.0-only
# The rows of one boot of test/bench/costs (jq -s) with what each costs over nothing and over its floor. A verb
# (floor "") is compared with nothing, nor is what was left out.
. as $rows
| def cost($configuration; $workload):
	first($rows[] | select(.configuration == $configuration and .workload == $workload)) | .instructions;
  def round4: . * 10000 | round / 10000;
$rows | map(
	if .left_out or .floor == "" then . elif .workload then
		cost("nothing"; .workload) as $nothing
		| cost(.floor; .workload) as $floor
		| . + {
			over_nothing: (.instructions - $nothing),
			over_floor: (.instructions - $floor),
			ratio_to_nothing: (.instructions / $nothing | round4),
			ratio_to_floor: (.instructions / $floor | round4)
		}
	else empty end)
