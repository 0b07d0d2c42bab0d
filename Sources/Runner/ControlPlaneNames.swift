import ControlPlane

// The module and its main type share a name, so that `ControlPlane.Device` would mean a member of the type. Here,
// where nothing else is imported, the plain names are the module's.
typealias ControlPlaneDevice = Device
