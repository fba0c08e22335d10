// Lets a workload run on infrastructure nodes, and sends it there if it has no place of its own.
function(ctx, object)
  local options = ctx.options, pod = object.spec.template.spec;

  local covers(toleration) =
    std.member(['', ctx.taint], std.get(toleration, 'key', ''))
    && (std.get(toleration, 'operator', 'Equal') == 'Exists' || std.get(toleration, 'value', '') == options.value);
  local effects = if std.objectHas(options, 'effect') then [options.effect] else ['NoExecute', 'NoSchedule'];
  local tolerations = std.get(pod, 'tolerations', []);
  local tolerates(effect) =
    std.length([one for one in tolerations if covers(one) && std.member(['', effect], std.get(one, 'effect', ''))]) > 0;
  local value = if options.value == '' then { operator: 'Exists' } else { operator: 'Equal', value: options.value };
  local missing = [{ key: ctx.taint, effect: effect } + value for effect in effects if !tolerates(effect)];
  local tolerant = if missing == [] then {} else { tolerations: tolerations + missing };

  // The system's own labels (operating system, architecture) are no place; a selector or an affinity for other nodes is.
  local selector = std.get(pod, 'nodeSelector', {});
  local placed =
    std.length([key for key in std.objectFields(selector) if !std.startsWith(key, 'kubernetes.io/')]) > 0
    || std.objectHas(std.get(pod, 'affinity', {}), 'nodeAffinity');
  local term = { matchExpressions: [{ key: options.label } + (if options.value == '' then { operator: 'Exists' } else { operator: 'In', values: [options.value] })] };
  local affinity =
    if options.required then { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
    else { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: term }] };
  local place = if placed || object.kind == 'DaemonSet' then {} else { affinity+: { nodeAffinity: affinity } };

  object { spec+: { template+: { spec: pod + tolerant + place } } }
