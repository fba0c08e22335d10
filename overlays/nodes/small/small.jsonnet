// Lowers what the containers of a daemon ask for, where it is more; limits stay.
function(ctx, object)
  // The suffixes of quantities (Kubernetes documentation, "Quantity"), without those that no request has.
  local factors = { m: 0.001, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 1024, Mi: 1048576, Gi: 1073741824, Ti: 1099511627776 };
  local number(quantity) =
    local text = std.toString(quantity);
    local suffix = std.filter(function(one) std.endsWith(text, one), std.objectFields(factors));
    if suffix == [] then std.parseJson(text)
    else std.parseJson(std.substr(text, 0, std.length(text) - std.length(suffix[0]))) * factors[suffix[0]];
  local least(quantity, most) = if number(quantity) > number(most) then most else quantity;

  local lower(requests) =
    requests
    + (if std.objectHas(requests, 'cpu') then { cpu: least(requests.cpu, ctx.options.cpu) } else {})
    + (if std.objectHas(requests, 'memory') then { memory: least(requests.memory, ctx.options.memory) } else {});
  // Without a request the limit counts as one.
  local asked(resources) = std.get(resources, 'limits', {}) + std.get(resources, 'requests', {});
  local container(one) =
    if std.objectHas(one, 'resources') && asked(one.resources) != {} then one { resources+: { requests: lower(asked(one.resources)) } } else one;
  local each(pod, field) = if std.objectHas(pod, field) then { [field]: std.map(container, pod[field]) } else {};

  local pod = object.spec.template.spec;
  object {
    spec+: { template+: { spec: { priorityClassName: 'system-node-critical' } + pod + each(pod, 'initContainers') + each(pod, 'containers') } },
  }
