# services.hydra-notify: the host, in the place of Hydra's own daemon of that name.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.services.hydra-notify;
  inherit (lib) mkForce mkIf mkOption types;

  toml = pkgs.formats.toml { };
  # Not by its path in the store: that changes, and a change shall be a reload.
  configFile = "/etc/hydra-notify.toml";
  asOwner = toml.generate "owner.toml" { database.url = "postgresql:///hydra"; };

  # nixpkgs has services.hydra, Hydra's own flake services.hydra-dev.
  hydraIsHere =
    (config.services.hydra.enable or false) || (config.services.hydra-dev.enable or false);

  secrets =
    lib.concatMap (plugin: lib.attrValues (plugin.secrets or { })) (
      lib.attrValues (cfg.settings.plugins or { })
    )
    ++ [ (cfg.settings.http.token or { }) ];
  wanted = map (secret: secret.credential) (lib.filter (secret: secret ? credential) secrets);
  missing = lib.filter (name: !(cfg.credentials ? ${name})) wanted;

  # As in packaging/systemd/hydra-notify.service, which says what each line forbids to
  # plugins, and how to take it back.
  hardening = {
    NoNewPrivileges = true;
    ProtectSystem = "strict";
    ProtectHome = true;
    PrivateTmp = true;
    PrivateDevices = true;
    DevicePolicy = "closed";
    RestrictSUIDSGID = true;
    CapabilityBoundingSet = "";
    AmbientCapabilities = "";
    RestrictNamespaces = true;
    SystemCallFilter = "@system-service landlock_create_ruleset landlock_add_rule landlock_restrict_self";
    SystemCallErrorNumber = "EPERM";
    SystemCallArchitectures = "native";
    LockPersonality = true;
    RestrictRealtime = true;
    RestrictAddressFamilies = "AF_UNIX AF_INET AF_INET6 AF_NETLINK";
    ProtectClock = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectProc = "invisible";
    RemoveIPC = true;
    KeyringMode = "private";
    UMask = "0077";
    LimitCORE = 0;
  };
in
{
  options.services.hydra-notify = {
    enable = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether to deliver Hydra's build events to plugins. Hydra's own hydra-notify is
        turned off with it: each clears flags that the other still needs.
      '';
    };

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The host, with its plugins in `plugins`.";
    };

    path = mkOption {
      type = types.listOf types.package;
      default = [ ];
      example = lib.literalExpression "[ pkgs.jq pkgs.nix ]";
      description = ''
        Packages whose programs plugins find by name, besides the host's own plugins:
        plugins of yours, and what the commands of run_command call.
      '';
    };

    settings = mkOption {
      type = toml.type;
      default = { };
      example = lib.literalExpression ''
        {
          host.base_url = "https://hydra.example.org";
          http.listen = "127.0.0.1:9199";
          plugins.mail = {
            command = [ "hydra-notify-mail" ];
            settings.sender = "hydra@example.org";
            secrets.password.credential = "smtp";
          };
        }
      '';
      description = ''
        The configuration, as in hydra-notify.toml(5). A change of it is a reload: other
        plugins than the changed ones notice nothing. Everybody on the machine can read
        it; secrets belong into `credentials`.
      '';
    };

    credentials = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        smtp = "/run/keys/smtp";
      };
      description = ''
        Files with secrets, by the name that `secrets.NAME.credential` of a plugin has,
        or `http.token.credential`.
        systemd reads them as root and passes them on (LoadCredential). Not a path of the
        Nix store, which everybody can read.
      '';
    };

    user = mkOption {
      type = types.str;
      default = "hydra-notify";
      description = ''
        Whom it runs as. hydra-notify is made; any other user has to be there. As
        hydra-queue-runner it logs in to Postgres as Hydra does, and may write Hydra's
        data, and so may all plugins.
      '';
    };

    group = mkOption {
      type = types.str;
      default = "hydra-notify";
      description = ''
        Its group; hydra-notify is made. As hydra, plugins can read build logs.
      '';
    };

    localDatabase = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether to set up the Postgres of this machine for it, where it serves the Hydra
        of this machine: a role that is called as the user and logs in as that user, the
        privileges it needs, and the ledger. Without it that is done by hand
        (docs/operating.md).
      '';
    };
  };

  config = mkIf cfg.enable {
    assertions = [
      {
        assertion = missing == [ ];
        message = "services.hydra-notify.credentials has no ${toString missing}, which its settings name";
      }
      {
        assertion = cfg.localDatabase -> cfg.user != "hydra-queue-runner" && cfg.user != "hydra";
        message = "services.hydra-notify.localDatabase: the user ${cfg.user} is Hydra's and has all rights";
      }
    ];

    environment.etc."hydra-notify.toml".source = toml.generate "hydra-notify.toml" cfg.settings;
    # For `hydra-notify pending` and the like.
    environment.systemPackages = [ cfg.package ];
    environment.variables.HYDRA_NOTIFY_CONFIG = configFile;

    users.users = mkIf (cfg.user == "hydra-notify") {
      hydra-notify = {
        isSystemUser = true;
        inherit (cfg) group;
        description = "Delivers Hydra's build events";
      };
    };
    users.groups = mkIf (cfg.group == "hydra-notify") { hydra-notify = { }; };

    services.hydra-notify.settings.database.url = lib.mkDefault "postgresql:///hydra";

    services.postgresql = mkIf cfg.localDatabase {
      ensureUsers = [ { name = cfg.user; } ];
      # Hydra's module has those who log in by peer authentication looked up there.
      identMap = ''
        hydra-users ${cfg.user} ${cfg.user}
      '';
    };

    systemd.services.hydra-notify.enable = mkIf hydraIsHere (mkForce false);

    systemd.services.hydra-notify-database = mkIf cfg.localDatabase {
      description = "Privileges and ledger of hydra-notify";
      after = [
        "hydra-init.service"
        "postgresql.service"
        "postgresql-setup.service"
      ];
      requires = [ "hydra-init.service" ];
      before = [ "hydra-notify-host.service" ];
      requiredBy = [ "hydra-notify-host.service" ];
      path = [
        cfg.package
        config.services.postgresql.package
      ];
      # All of it can be run again and again.
      script = ''
        hydra-notify ledger create --config ${asOwner}
        psql --no-psqlrc --set=ON_ERROR_STOP=1 hydra <<'EOF'
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO "${cfg.user}";
        GRANT UPDATE (notificationpendingsince) ON builds TO "${cfg.user}";
        GRANT DELETE ON taskretries TO "${cfg.user}";
        GRANT USAGE ON SCHEMA hydra_notify TO "${cfg.user}";
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA hydra_notify
          TO "${cfg.user}";
        EOF
      '';
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        # Whom Hydra's tables belong to.
        User = "hydra";
      };
    };

    systemd.services.hydra-notify-host = {
      description = "Deliver Hydra's build events to plugins";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "postgresql.service"
        "hydra-init.service"
      ];
      startLimitIntervalSec = 0;
      reloadTriggers = [ config.environment.etc."hydra-notify.toml".source ];
      path = [ cfg.package.plugins ] ++ cfg.path;
      serviceConfig = hardening // {
        Type = "notify";
        ExecStart = "${cfg.package}/bin/hydra-notify --config ${configFile}";
        ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
        User = cfg.user;
        Group = cfg.group;
        StateDirectory = "hydra-notify";
        StateDirectoryMode = "0700";
        RuntimeDirectory = "hydra-notify";
        RuntimeDirectoryMode = "0750";
        LoadCredential = lib.mapAttrsToList (name: path: "${name}:${path}") cfg.credentials;
        Restart = "always";
        RestartSec = 1;
        RestartSteps = 5;
        RestartMaxDelaySec = 60;
        RestartPreventExitStatus = 2;
        TimeoutStartSec = 60;
        WatchdogSec = 30;
        TimeoutAbortSec = 10;
        TimeoutStopSec = 75;
        KillMode = "mixed";
        OOMPolicy = "continue";
        Delegate = true;
        DelegateSubgroup = "host";
      };
    };
  };
}
