# As much of nixpkgs' `lib` as our modules use, so that they can be evaluated without it:
# priorities, conditions and merging as NixOS has them, types as predicates.
rec {
  inherit (builtins)
    all
    any
    attrNames
    attrValues
    concatMap
    elem
    filter
    head
    isAttrs
    isBool
    isInt
    isList
    isString
    map
    mapAttrs
    ;

  literalExpression = text: text;
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  makeBinPath = builtins.concatStringsSep ":";
  licenses.mit = "MIT";
  platforms.unix = [ "x86_64-linux" ];
  fileset = {
    unions = parts: parts;
    toSource = { root, fileset }: assert all builtins.pathExists fileset; "/nix/store/source";
  };

  types = {
    anything = _: true;
    bool = isBool;
    package = value: isString value || value ? outPath;
    str = isString;
    listOf = type: value: isList value && all type value;
    attrsOf = type: value: isAttrs value && all type (attrValues value);
  };

  mkOption = option: option // { _type = "option"; };
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkForce = mkOverride 50;
  mkDefault = mkOverride 1000;

  # The configuration that modules make together. What no module declares is taken as it
  # is, since NixOS' own options are not here.
  evalModules =
    { modules, args }:
    let
      parts = map (
        module:
        let
          written = if builtins.isPath module then import module else module;
          made = if builtins.isFunction written then written (args // { inherit config; }) else written;
        in
        if made ? config || made ? options then made else { config = made; }
      ) modules;
      options = map (part: part.options or { }) parts;
      config = merged "" (map defaults options ++ map (part: part.config or { }) parts);
    in
    assert all (set: checked "" set config) options;
    config;

  isOption = value: value._type or "" == "option";

  defaults = mapAttrs (
    _: value:
    if !isOption value then
      defaults value
    else if value ? default then
      mkOverride 1500 value.default
    else
      mkIf false null
  );

  # Whether every declared option has a value of its type, and no other is set beside it.
  checked =
    at: declared: set:
    let
      leaf = any isOption (attrValues declared);
      unknown = filter (name: !(declared ? ${name})) (attrNames set);
    in
    (leaf && unknown != [ ] -> throw "there is no option ${at}.${head unknown}")
    && all (
      name:
      if isOption declared.${name} then
        declared.${name}.type set.${name} || throw "${at}.${name} is of another type"
      else
        checked "${at}.${name}" declared.${name} set.${name}
    ) (attrNames declared);

  property = value: elem (value._type or "") [ "if" "override" ];
  bare = value: if property value then bare value.content else value;
  isSet = value: isAttrs value && !(value ? outPath);

  # A condition around a set is one around each of its members: whether it holds may
  # depend on other members.
  pushed =
    value:
    if property value then
      mapAttrs (_: content: value // { inherit content; }) (pushed value.content)
    else
      value;

  merged =
    at: definitions:
    if all (value: bare value == { }) definitions then
      # There is no member for a condition to be pushed to.
      one at (concatMap strongest definitions)
    else if all (value: isSet (bare value)) definitions then
      let
        sets = map pushed definitions;
        of = name: concatMap (set: if set ? ${name} then [ set.${name} ] else [ ]) sets;
        # Names are known without knowing what holds; what does not is no value then.
        names = attrNames (builtins.foldl' (a: b: a // b) { } sets);
      in
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = merged "${at}.${name}" (of name);
        }) names
      )
    else
      one at (concatMap strongest definitions);

  # What holds, with its priority.
  strongest =
    value:
    if value._type or "" == "if" then
      if value.condition then strongest value.content else [ ]
    else if value._type or "" == "override" then
      map (each: each // { inherit (value) priority; }) (strongest value.content)
    else
      [
        {
          priority = 100;
          inherit value;
        }
      ];

  one =
    at: found:
    let
      first = builtins.foldl' (a: b: if b < a then b else a) 9999 (map (each: each.priority) found);
      values = map (each: each.value) (filter (each: each.priority == first) found);
    in
    if values == [ ] then
      absent
    else if all isList values then
      builtins.concatLists values
    else if all (value: value == head values) values then
      head values
    else
      throw "${at} is defined in two ways";

  absent = {
    _type = "absent";
  };

  # Without what is not there.
  settled =
    value:
    if isSet value then
      mapAttrs (_: settled) (
        builtins.removeAttrs value (filter (name: gone value.${name}) (attrNames value))
      )
    else if isList value then
      map settled value
    else
      value;
  gone = value: isSet value && (value == absent || (value != { } && all gone (attrValues value)));
}
