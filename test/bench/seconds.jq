# SPDX-License-Identifier: GPL-2.0-only
# The rows of test/bench/costs (jq -s) on the machine's clock, each configuration measured several times, in turns:
# the median of nanoseconds, the least and the most, and what the median is over nothing.
def median: sort | .[length / 2 | floor];
[.[] | select(.workload and .floor != "")]
| [group_by([.configuration, .workload])[] | {
	configuration: .[0].configuration, workload: .[0].workload, runs: length,
	median: (map(.instructions) | median), least: (map(.instructions) | min), most: (map(.instructions) | max)}]
| . as $rows
| map(.workload as $w | first($rows[] | select(.configuration == "nothing" and .workload == $w)) as $nothing
	| . + {over_nothing: (.median - $nothing.median), ratio_to_nothing: (.median / $nothing.median * 1000 | round / 1000)})
