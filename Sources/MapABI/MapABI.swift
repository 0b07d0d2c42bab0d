@_exported public import CDatapath
