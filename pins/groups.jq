# The manifests as a table that a shell reads without jq: a line for each group, with the
# folder of its object for the backend $b, the kernel function it needs or -, operations, links.
(if .objects[$b] then $b elif .objects.kill then "kill" else "lsm" end) as $object
| [.group, $object, .needs // "-", (.ops | join(",")), (.objects[$object].links | keys[])]
| join(" ")
