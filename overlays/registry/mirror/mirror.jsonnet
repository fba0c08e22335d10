// The images of a workload, from the mirror: those of its containers, and those that are mounted as volumes.
function(ctx, object)
  local options = ctx.options;

  // An image with its registry written out: names without one are of Docker Hub (distribution/reference, ParseNormalizedNamed).
  local full(image) =
    local parts = std.split(image, '/');
    local registry = std.length(parts) > 1 && (std.member(parts[0], '.') || std.member(parts[0], ':') || parts[0] == 'localhost');
    if registry then image else if std.length(parts) > 1 then 'docker.io/' + image else 'docker.io/library/' + image;

  local rest(image, prefix) = std.substr(image, std.length(prefix), std.length(image));
  local fits(image, prefix) = std.startsWith(image, prefix) && std.member(['', '/', ':', '@'], std.substr(rest(image, prefix), 0, 1));
  local longest(image) = std.foldl(
    function(best, prefix) if fits(image, prefix) && std.length(prefix) > std.length(best) then prefix else best,
    std.objectFields(options.repositories),
    ''
  );
  local mirrored(image) =
    local name = full(image), prefix = longest(name);
    if fits(image, options.registry) then image
    else if prefix == '' then options.registry + '/' + name
    else options.registry + (if options.repositories[prefix] == '' then '' else '/' + options.repositories[prefix]) + rest(name, prefix);

  local container(one) = one + (if std.objectHas(one, 'image') then { image: mirrored(one.image) } else {});
  local volume(one) =
    one + (if std.objectHas(one, 'image') && std.objectHas(one.image, 'reference') then { image+: { reference: mirrored(one.image.reference) } } else {});
  local each(pod, field, change) = if std.objectHas(pod, field) then { [field]: std.map(change, pod[field]) } else {};
  local secrets(pod) =
    if options.pullSecrets == [] then {}
    else
      local there = std.get(pod, 'imagePullSecrets', []);
      local missing = [{ name: name } for name in options.pullSecrets if !std.member(there, { name: name })];
      { imagePullSecrets: there + missing };
  local podSpec(pod) =
    pod + each(pod, 'initContainers', container) + each(pod, 'containers', container) + each(pod, 'volumes', volume) + secrets(pod);

  local template(spec) = spec { template+: { spec: podSpec(spec.template.spec) } };
  if object.kind == 'Pod' then object { spec: podSpec(object.spec) }
  else if object.kind == 'CronJob' then object { spec+: { jobTemplate+: { spec: template(object.spec.jobTemplate.spec) } } }
  else object { spec: template(object.spec) }
