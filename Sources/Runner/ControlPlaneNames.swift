import ControlPlane

// The module and its main type share a name, so that `ControlPlane.Device` means a member of the type.
typealias ControlPlaneDevice = Device
