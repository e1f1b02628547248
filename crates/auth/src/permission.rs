use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A part of the system that permissions are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Module {
    /// Leads, opportunities, accounts.
    Crm,
    /// Orders, deliveries, inventory.
    Logistics,
    /// Tasks, workflows, feedback.
    Task,
    /// Consent, checks, duties.
    Compliance,
    /// Decisions and models.
    Rl,
    /// Logs and audit.
    Logging,
    /// Users, unified events, live streams.
    Gateway,
}

/// How far a permission goes. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Look.
    Read,
    /// Change.
    Write,
    /// Change how it works.
    Admin,
}

/// `<module>:<read|write|admin>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permission {
    /// Where.
    pub module: Module,
    /// How far.
    pub access: Access,
}

impl Permission {
    /// Whether who has this one has `other`, too.
    pub fn includes(self, other: Self) -> bool {
        self.module == other.module && self.access >= other.access
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.module.name(), self.access.name())
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once(':').and_then(|(module, access)| {
            let module = Module::ALL.into_iter().find(|known| known.name() == module)?;
            let access = Access::ALL.into_iter().find(|known| known.name() == access)?;
            Some(Self { module, access })
        });
        parsed.ok_or_else(|| {
            format!("'{text}' is no permission: it is like crm:read, logistics:write or rl:admin")
        })
    }
}

impl Module {
    /// Every module.
    pub const ALL: [Self; 7] =
        [Self::Crm, Self::Logistics, Self::Task, Self::Compliance, Self::Rl, Self::Logging, Self::Gateway];

    /// Its name in permissions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crm => "crm",
            Self::Logistics => "logistics",
            Self::Task => "task",
            Self::Compliance => "compliance",
            Self::Rl => "rl",
            Self::Logging => "logging",
            Self::Gateway => "gateway",
        }
    }
}

impl Access {
    /// From least to most.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Its name in permissions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// What a user or a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything.
    Admin,
    /// Runs the business.
    Manager,
    /// Sells.
    Sales,
    /// Ships.
    Logistics,
    /// Helps customers.
    Support,
    /// Watches over rules and records.
    Compliance,
    /// Looks.
    Viewer,
    /// A machine that works in all modules.
    Service,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Admin,
        Self::Manager,
        Self::Sales,
        Self::Logistics,
        Self::Support,
        Self::Compliance,
        Self::Viewer,
        Self::Service,
    ];

    /// Its name in tokens and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Sales => "sales",
            Self::Logistics => "logistics",
            Self::Support => "support",
            Self::Compliance => "compliance",
            Self::Viewer => "viewer",
            Self::Service => "service",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| format!("'{name}' is not a role: one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// How far `role` goes in `module`. What the table does not grant is denied.
pub fn grants(role: Role, module: Module) -> Option<Access> {
    const N: Option<Access> = None;
    const R: Option<Access> = Some(Access::Read);
    const W: Option<Access> = Some(Access::Write);
    const A: Option<Access> = Some(Access::Admin);
    #[rustfmt::skip]
    let [crm, logistics, task, compliance, rl, logging, gateway] = match role {
        //                  crm logi task comp rl  log gate
        Role::Admin      => [A, A,   A,   A,   A,  A,  A],
        Role::Manager    => [W, W,   W,   R,   W,  R,  W],
        Role::Sales      => [W, R,   W,   N,   W,  N,  W],
        Role::Logistics  => [R, W,   W,   N,   W,  N,  W],
        Role::Support    => [R, R,   W,   N,   N,  N,  W],
        Role::Compliance => [R, R,   W,   A,   R,  R,  W],
        Role::Viewer     => [R, R,   R,   N,   R,  N,  R],
        Role::Service    => [W, W,   W,   W,   W,  W,  W],
    };
    match module {
        Module::Crm => crm,
        Module::Logistics => logistics,
        Module::Task => task,
        Module::Compliance => compliance,
        Module::Rl => rl,
        Module::Logging => logging,
        Module::Gateway => gateway,
    }
}

/// A permission as a type, so that a handler names it in its signature and cannot forget it.
pub trait Requires: 'static {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! requirements {
    ($($name:ident = $module:ident $access:ident;)*) => {$(
        #[doc = concat!("Requires `", stringify!($access), "` on `", stringify!($module), "`.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Requires for $name {
            const PERMISSION: Permission = Permission { module: Module::$module, access: Access::$access };
        }
    )*};
}

/// Every permission as a type.
pub mod require {
    use super::{Access, Module, Permission, Requires};

    requirements! {
        CrmRead = Crm Read;
        CrmWrite = Crm Write;
        CrmAdmin = Crm Admin;
        LogisticsRead = Logistics Read;
        LogisticsWrite = Logistics Write;
        LogisticsAdmin = Logistics Admin;
        TaskRead = Task Read;
        TaskWrite = Task Write;
        TaskAdmin = Task Admin;
        ComplianceRead = Compliance Read;
        ComplianceWrite = Compliance Write;
        ComplianceAdmin = Compliance Admin;
        RlRead = Rl Read;
        RlWrite = Rl Write;
        RlAdmin = Rl Admin;
        LoggingRead = Logging Read;
        LoggingWrite = Logging Write;
        LoggingAdmin = Logging Admin;
        GatewayRead = Gateway Read;
        GatewayWrite = Gateway Write;
        GatewayAdmin = Gateway Admin;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_by_their_names() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        assert!("root".parse::<Role>().unwrap_err().contains("admin, manager"));
    }

    #[test]
    fn permissions_are_read_as_they_are_written() {
        for module in Module::ALL {
            for access in Access::ALL {
                let permission = Permission { module, access };
                assert_eq!(permission.to_string().parse(), Ok(permission));
            }
        }
        for text in ["", "crm", "crm:", "crm:own", "nothing:read", "crm:read:write"] {
            assert!(text.parse::<Permission>().is_err(), "{text}");
        }
    }
}
